-- Who has written again, in this life of PostgreSQL, what its last crash had taken back of his. That crash empties it, as it empties `lives`.
create unlogged table recollected (
    instance text primary key,
    incarnation text not null,
    life text not null
);
