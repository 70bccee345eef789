# Tables, indexes, joins, windows, recursion, JSON, text search, transactions, on a file.
sqlite3 "$PWD/base.db" <<'SQL'
PRAGMA journal_mode = WAL;
CREATE TABLE item(id INTEGER PRIMARY KEY, kind TEXT, price REAL, tags TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO item SELECT i, char(97 + i * 7 % 26), (i * 7919 % 10007) / 7.0, json_array(i % 5, i % 7) FROM n;
CREATE INDEX by_kind ON item(kind, price);
SELECT kind, count(*), round(avg(price), 9), min(price), max(price) FROM item GROUP BY kind ORDER BY kind LIMIT 8;
SELECT id, price, rank() OVER (PARTITION BY kind ORDER BY price DESC) r, sum(price) OVER (ORDER BY id ROWS 3 PRECEDING) FROM item WHERE kind = 'q' LIMIT 8;
SELECT count(*), sum(a.price * b.price) FROM item a JOIN item b ON a.id = b.id + 13 AND a.kind > b.kind;
SELECT json_extract(tags, '$[1]') t, count(*) FROM item GROUP BY t ORDER BY t;
CREATE VIRTUAL TABLE words USING fts5(body);
INSERT INTO words SELECT 'the ' || kind || kind || ' item costs ' || cast(price AS INTEGER) FROM item;
SELECT rowid, body FROM words WHERE words MATCH 'qq AND 7*' ORDER BY rowid LIMIT 6;
WITH RECURSIVE z(y, x, re, im, n) AS (SELECT y, x, 0.0, 0.0, 0 FROM (SELECT column1 * 0.25 y FROM (VALUES (-4), (-2), (0), (2), (4))), (SELECT column1 * 0.2 x FROM (VALUES (-9), (-6), (-3), (0), (2)))
  UNION ALL SELECT y, x, re * re - im * im + x, 2 * re * im + y, n + 1 FROM z WHERE n < 40 AND re * re + im * im < 4)
SELECT y, group_concat(n, ' ') FROM (SELECT y, x, max(n) n FROM z GROUP BY y, x ORDER BY y, x) GROUP BY y;
BEGIN; DELETE FROM item WHERE id % 3 = 0; UPDATE item SET price = -price WHERE kind = 'a'; SAVEPOINT s; DELETE FROM item; ROLLBACK TO s; COMMIT;
SELECT count(*), total(price), printf('%.12f', sum(price * price)) FROM item; SELECT hex(substr(group_concat(id), 1, 40)) FROM item;
PRAGMA integrity_check; VACUUM; PRAGMA page_count;
SQL
