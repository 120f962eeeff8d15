"""The tables of a board's index, and what it is asked."""

TABLES = """
CREATE TABLE card (ranks TEXT);
CREATE TABLE seen (names INT, files INT);
INSERT INTO seen VALUES (0, 0);
CREATE TABLE files (file INTEGER PRIMARY KEY, name TEXT UNIQUE, size INT, mtime INT, name_mark INT, mark INT,
                    problem TEXT, id TEXT, date TEXT, data TEXT, benchmark TEXT, state TEXT, place REAL, band TEXT,
                    points REAL, max_points REAL, hash TEXT, linked INT, named INT, replaces TEXT, node TEXT,
                    label TEXT, who TEXT, change REAL);
CREATE TABLE links (file INT, parent TEXT);
CREATE TABLE rows (file INTEGER PRIMARY KEY, row TEXT, line TEXT);
CREATE INDEX kinds ON files (data, benchmark, date, id) WHERE state != 'unreadable';
CREATE INDEX ranking ON files (data, place IS NULL, place, date, id) WHERE state = 'ranked';
CREATE INDEX state ON files (state, data);
CREATE INDEX ids ON files (id);
CREATE INDEX heads ON files (linked DESC, date, id) WHERE named = 0;
CREATE INDEX replaced ON files (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX whose ON files (who, date, id) WHERE state = 'ranked';
CREATE INDEX naming ON links (parent);
CREATE INDEX named_by ON links (file);
"""
# The states: new, ranked (failed entries too, at the end), lacking the metric that ranks, unreadable.
# What was seen is added up: a hash of each file's name, and one of its name, size and time.
# An entry is named when another has its hash among its heads, and replaced when it was graded anew.

# Of the entries of the data in question, or of any: those of the data and the benchmark that most have.
MOST = """
SELECT data, benchmark, id, count(*), min(date) FROM files WHERE state != 'unreadable' AND (? IS NULL OR data = ?)
GROUP BY data, benchmark ORDER BY count(*) DESC, min(date) LIMIT 1
"""
CELLS = "row, band, points, max_points, change, place IS NOT NULL"
FILES, ROWS = "FROM files", "FROM files JOIN rows USING (file)"
CHOSEN = "WHERE file IN (SELECT value FROM json_each(?))"
TABLE = """
WHERE state = 'ranked' AND data = ?
AND id NOT IN (SELECT replaces FROM files WHERE replaces IS NOT NULL) ORDER BY place IS NULL, place, date, id
"""
# The last graded entry of the same author before another.
BEFORE = """
SELECT place FROM files WHERE state = 'ranked' AND who = ? AND (date, id) < (?, ?) AND data = ? AND place IS NOT NULL
AND id NOT IN (SELECT replaces FROM files WHERE replaces IS NOT NULL) ORDER BY date DESC, id DESC LIMIT 1
"""
LATER = "UPDATE files SET state = 'new' WHERE state = 'ranked' AND who = ? AND (date, id) > (?, ?)"
# Of each kind by itself, and two ranges instead of "data != ?", so that indexes serve them.
LEFT_OUT = """
SELECT name, problem, data != :data FROM (
    SELECT name, problem, data, id FROM files WHERE state = 'unreadable'
    UNION ALL SELECT name, problem, data, id FROM files WHERE state = 'lacking'
    UNION ALL SELECT name, problem, data, id FROM files WHERE state = 'ranked' AND data < :data
    UNION ALL SELECT name, problem, data, id FROM files WHERE state = 'ranked' AND data > :data
) WHERE id IS NULL OR id NOT IN (SELECT replaces FROM files WHERE replaces IS NOT NULL) ORDER BY name
"""
