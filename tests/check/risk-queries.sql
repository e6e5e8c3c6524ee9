-- name: zipf-1
SELECT * FROM skew WHERE zipf = 1;
-- name: zipf-late-1
SELECT * FROM skew WHERE zipf = 1 ORDER BY at DESC LIMIT 20;
-- name: zipf-5
SELECT * FROM skew WHERE zipf = 5;
-- name: zipf-late-5
SELECT * FROM skew WHERE zipf = 5 ORDER BY at DESC LIMIT 20;
-- name: zipf-20
SELECT * FROM skew WHERE zipf = 20;
-- name: zipf-late-20
SELECT * FROM skew WHERE zipf = 20 ORDER BY at DESC LIMIT 20;
-- name: zipf-50
SELECT * FROM skew WHERE zipf = 50;
-- name: zipf-late-50
SELECT * FROM skew WHERE zipf = 50 ORDER BY at DESC LIMIT 20;
-- name: zipf-80
SELECT * FROM skew WHERE zipf = 80;
-- name: zipf-late-80
SELECT * FROM skew WHERE zipf = 80 ORDER BY at DESC LIMIT 20;
-- name: zipf-100
SELECT * FROM skew WHERE zipf = 100;
-- name: zipf-late-100
SELECT * FROM skew WHERE zipf = 100 ORDER BY at DESC LIMIT 20;
-- name: zipf-130
SELECT * FROM skew WHERE zipf = 130;
-- name: zipf-late-130
SELECT * FROM skew WHERE zipf = 130 ORDER BY at DESC LIMIT 20;
-- name: zipf-160
SELECT * FROM skew WHERE zipf = 160;
-- name: zipf-late-160
SELECT * FROM skew WHERE zipf = 160 ORDER BY at DESC LIMIT 20;
-- name: zipf-200
SELECT * FROM skew WHERE zipf = 200;
-- name: zipf-late-200
SELECT * FROM skew WHERE zipf = 200 ORDER BY at DESC LIMIT 20;
-- name: zipf-250
SELECT * FROM skew WHERE zipf = 250;
-- name: zipf-late-250
SELECT * FROM skew WHERE zipf = 250 ORDER BY at DESC LIMIT 20;
-- name: zipf-300
SELECT * FROM skew WHERE zipf = 300;
-- name: zipf-late-300
SELECT * FROM skew WHERE zipf = 300 ORDER BY at DESC LIMIT 20;
-- name: zipf-400
SELECT * FROM skew WHERE zipf = 400;
-- name: zipf-late-400
SELECT * FROM skew WHERE zipf = 400 ORDER BY at DESC LIMIT 20;
-- name: zipf-600
SELECT * FROM skew WHERE zipf = 600;
-- name: zipf-late-600
SELECT * FROM skew WHERE zipf = 600 ORDER BY at DESC LIMIT 20;
-- name: zipf-1000
SELECT * FROM skew WHERE zipf = 1000;
-- name: zipf-late-1000
SELECT * FROM skew WHERE zipf = 1000 ORDER BY at DESC LIMIT 20;
-- name: zipf-3000
SELECT * FROM skew WHERE zipf = 3000;
-- name: zipf-late-3000
SELECT * FROM skew WHERE zipf = 3000 ORDER BY at DESC LIMIT 20;
-- name: zipf-join-40
SELECT * FROM skew s JOIN ref r ON r.id = s.u WHERE s.zipf = 40;
-- name: zipf-join-150
SELECT * FROM skew s JOIN ref r ON r.id = s.u WHERE s.zipf = 150;
-- name: zipf-join-500
SELECT * FROM skew s JOIN ref r ON r.id = s.u WHERE s.zipf = 500;
-- name: zipf-join-2000
SELECT * FROM skew s JOIN ref r ON r.id = s.u WHERE s.zipf = 2000;
-- name: rare-2
SELECT * FROM skew WHERE rare = 2 AND at > '2024-08-01';
-- name: rare-late-2
SELECT * FROM skew WHERE rare = 2 ORDER BY id LIMIT 5;
-- name: rare-7
SELECT * FROM skew WHERE rare = 7 AND at > '2024-08-01';
-- name: rare-late-7
SELECT * FROM skew WHERE rare = 7 ORDER BY id LIMIT 5;
-- name: rare-20
SELECT * FROM skew WHERE rare = 20 AND at > '2024-08-01';
-- name: rare-late-20
SELECT * FROM skew WHERE rare = 20 ORDER BY id LIMIT 5;
-- name: rare-any
SELECT * FROM skew WHERE rare IS NOT NULL ORDER BY at LIMIT 50;
-- name: flag-open
SELECT * FROM skew WHERE flag = 'open' AND at > '2024-06-01';
-- name: flag-late-open
SELECT * FROM skew WHERE flag = 'open' ORDER BY id DESC LIMIT 30;
-- name: flag-join-open
SELECT count(*) FROM skew s JOIN ref r ON r.id = s.u WHERE s.flag = 'open';
-- name: flag-zipf-open
SELECT * FROM skew s WHERE s.flag = 'open' AND zipf = 150;
-- name: flag-held
SELECT * FROM skew WHERE flag = 'held' AND at > '2024-06-01';
-- name: flag-late-held
SELECT * FROM skew WHERE flag = 'held' ORDER BY id DESC LIMIT 30;
-- name: flag-join-held
SELECT count(*) FROM skew s JOIN ref r ON r.id = s.u WHERE s.flag = 'held';
-- name: flag-zipf-held
SELECT * FROM skew s WHERE s.flag = 'held' AND zipf = 150;
-- name: flag-odd
SELECT * FROM skew WHERE flag = 'odd' AND at > '2024-06-01';
-- name: flag-late-odd
SELECT * FROM skew WHERE flag = 'odd' ORDER BY id DESC LIMIT 30;
-- name: flag-join-odd
SELECT count(*) FROM skew s JOIN ref r ON r.id = s.u WHERE s.flag = 'odd';
-- name: flag-zipf-odd
SELECT * FROM skew s WHERE s.flag = 'odd' AND zipf = 150;
-- name: flag-done
SELECT * FROM skew WHERE flag = 'done' AND at > '2024-06-01';
-- name: flag-late-done
SELECT * FROM skew WHERE flag = 'done' ORDER BY id DESC LIMIT 30;
-- name: flag-join-done
SELECT count(*) FROM skew s JOIN ref r ON r.id = s.u WHERE s.flag = 'done';
-- name: flag-zipf-done
SELECT * FROM skew s WHERE s.flag = 'done' AND zipf = 150;
-- name: note
SELECT * FROM skew WHERE note IS NOT NULL ORDER BY id LIMIT 10;
-- name: note-eq
SELECT * FROM skew WHERE note = 'x3000' ORDER BY id LIMIT 10;
-- name: group-zipf
SELECT zipf, count(*) FROM skew GROUP BY zipf;
-- name: group-u
SELECT u, count(*) FROM skew GROUP BY u;
-- name: group-two
SELECT u, flag, count(*) FROM skew GROUP BY u, flag;
-- name: distinct-cluster
SELECT DISTINCT cluster_key FROM skew;
-- name: distinct-rare
SELECT DISTINCT rare FROM skew;
-- name: kind-1
SELECT s.* FROM ref r JOIN skew s ON s.u = r.id WHERE r.kind = 1;
-- name: kind-agg-1
SELECT count(*) FROM ref r JOIN skew s ON s.cluster_key = r.id WHERE r.kind = 1 AND s.flag = 'open';
-- name: kind-3
SELECT s.* FROM ref r JOIN skew s ON s.u = r.id WHERE r.kind = 3;
-- name: kind-agg-3
SELECT count(*) FROM ref r JOIN skew s ON s.cluster_key = r.id WHERE r.kind = 3 AND s.flag = 'open';
-- name: kind-10
SELECT s.* FROM ref r JOIN skew s ON s.u = r.id WHERE r.kind = 10;
-- name: kind-agg-10
SELECT count(*) FROM ref r JOIN skew s ON s.cluster_key = r.id WHERE r.kind = 10 AND s.flag = 'open';
-- name: kind-50
SELECT s.* FROM ref r JOIN skew s ON s.u = r.id WHERE r.kind = 50;
-- name: kind-agg-50
SELECT count(*) FROM ref r JOIN skew s ON s.cluster_key = r.id WHERE r.kind = 50 AND s.flag = 'open';
-- name: kind-200
SELECT s.* FROM ref r JOIN skew s ON s.u = r.id WHERE r.kind = 200;
-- name: kind-agg-200
SELECT count(*) FROM ref r JOIN skew s ON s.cluster_key = r.id WHERE r.kind = 200 AND s.flag = 'open';
-- name: kind-400
SELECT s.* FROM ref r JOIN skew s ON s.u = r.id WHERE r.kind = 400;
-- name: kind-agg-400
SELECT count(*) FROM ref r JOIN skew s ON s.cluster_key = r.id WHERE r.kind = 400 AND s.flag = 'open';
-- name: at-2024-09-25
SELECT * FROM skew WHERE at > '2024-09-25' AND zipf = 200;
-- name: at-2024-10-01
SELECT * FROM skew WHERE at > '2024-10-01' AND zipf = 200;
-- name: at-2024-10-03
SELECT * FROM skew WHERE at > '2024-10-03' AND zipf = 200;
-- name: at-2024-10-04
SELECT * FROM skew WHERE at > '2024-10-04' AND zipf = 200;
-- name: range-100-120
SELECT * FROM skew WHERE zipf BETWEEN 100 AND 120;
-- name: urange-120
SELECT * FROM skew WHERE u BETWEEN 100 AND 120;
-- name: range-100-200
SELECT * FROM skew WHERE zipf BETWEEN 100 AND 200;
-- name: urange-200
SELECT * FROM skew WHERE u BETWEEN 100 AND 200;
-- name: range-100-400
SELECT * FROM skew WHERE zipf BETWEEN 100 AND 400;
-- name: urange-400
SELECT * FROM skew WHERE u BETWEEN 100 AND 400;
-- name: range-1000-2000
SELECT * FROM skew WHERE zipf BETWEEN 1000 AND 2000;
-- name: urange-2000
SELECT * FROM skew WHERE u BETWEEN 1000 AND 2000;
-- name: range-5000-9000
SELECT * FROM skew WHERE zipf BETWEEN 5000 AND 9000;
-- name: urange-9000
SELECT * FROM skew WHERE u BETWEEN 5000 AND 9000;
-- name: semi
SELECT * FROM ref r WHERE EXISTS (SELECT FROM skew s WHERE s.zipf = r.id);
-- name: semi-flag
SELECT * FROM ref r WHERE EXISTS (SELECT FROM skew s WHERE s.u = r.id AND s.flag = 'held');
