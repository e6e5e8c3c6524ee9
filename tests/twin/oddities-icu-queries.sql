SELECT * FROM words WHERE g BETWEEN 'k' AND 'l';
SELECT * FROM words WHERE g LIKE 'k1%';
SELECT * FROM words WHERE c = 'A7';
SELECT * FROM words WHERE c > 'y' ORDER BY c LIMIT 10;
SELECT * FROM words WHERE posix COLLATE german > 'x99';
SELECT g, count(*) FROM words GROUP BY g;
