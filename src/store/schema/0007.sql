-- Schema 7: what a watch remembers of its jobs, so that their schedules outlive the process.
CREATE TABLE job (
    name            TEXT PRIMARY KEY,
    since           INTEGER NOT NULL,     -- time at which it was first seen
    served          INTEGER,              -- time of the last slot that a whole run was begun for
    state           TEXT NOT NULL CHECK (state IN ('idle', 'matches', 'whole')),
    started         INTEGER,              -- time: last whole run
    ended           INTEGER,              -- time: its end; NULL if it has not ended
    result          TEXT CHECK (result IN ('complete', 'incomplete', 'refused', 'failed', 'interrupted')),
    why             TEXT,                 -- one line, where there is something to say of it
    scan_id         TEXT REFERENCES scan, -- its scan
    matches_started INTEGER               -- time at which known matches were last visited
) STRICT, WITHOUT ROWID;
