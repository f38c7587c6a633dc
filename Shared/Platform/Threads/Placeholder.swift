// Threads: to be written; delete this file with the first real one.
