-- Count, sum and largest value of each of 100,000 keys, all as likely.
SELECT key % 100000 AS key, count(*) AS num, sum(value) AS total, max(value) AS largest FROM item GROUP BY key % 100000
