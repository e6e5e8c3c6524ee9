SELECT * FROM derived WHERE gross > 1100;
SELECT * FROM derived WHERE gross = 12 AND kind = 'k3';
SELECT * FROM derived WHERE price = 7;
SELECT * FROM stay WHERE room = 5 AND during && tstzrange('2024-02-01 00:00+00', '2024-02-02 00:00+00');
SELECT * FROM stay JOIN meal USING (room, during) WHERE guest < 50;
SELECT * FROM meal WHERE room IS NULL;
SELECT * FROM stay WHERE guest > 1000000;
