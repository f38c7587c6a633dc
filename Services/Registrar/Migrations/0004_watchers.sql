-- Subscriptions to the registration of an extension (RFC 3680): whichever instance finds one that has something to be told sends
-- the NOTIFY. No reference to the extension: the watcher of one that was deleted is still told so.

create table watchers (
    id text collate "C" primary key,
    customer_id text not null,
    extension_id text collate "C" not null,
    number text not null,
    domain text not null,
    -- SIP.Dialog as it was made; the sequence of our requests is counted below.
    dialog json not null,
    call_id text not null,
    local_tag text not null,
    remote_tag text not null,
    event_id text,
    expires_at timestamptz not null,
    -- Why it ends (RFC 6665 §4.1.3); null while it lasts or when its time is simply over.
    ending text,
    -- Counts the NOTIFYs begun: their CSeq, and one more than the document's version.
    notified bigint not null default 0,
    -- Something is to be told while `told` is behind `changes`.
    changes bigint not null default 1,
    told bigint not null default 0,
    -- Contacts that ended since the last NOTIFY was accepted.
    ended jsonb not null default '[]',
    -- Whoever sends a NOTIFY has this long; then another instance may.
    claimed_until timestamptz not null default '-infinity',
    unique (call_id, remote_tag)
) with (fillfactor = 70);
create index watchers_of_extension on watchers (extension_id);
create index watchers_to_tell on watchers (claimed_until) where changes > told;
create index watchers_by_expiry on watchers (expires_at);
