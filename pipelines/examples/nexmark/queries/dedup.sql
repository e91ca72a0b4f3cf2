-- The last row of each of a million keys, all as likely.
SELECT key, value, at
FROM (SELECT key, value, at, row_number() OVER (PARTITION BY key ORDER BY at DESC) AS place FROM item) AS placed
WHERE place = 1
