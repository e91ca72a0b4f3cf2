-- The highest bids of every ten seconds.
SELECT b.auction, b.bidder, b.price, b.date_time, b.extra
FROM (SELECT auction, bidder, price, date_time, extra, tumble(INTERVAL '10 seconds', date_time) AS w FROM bid) AS b
JOIN (
    SELECT tumble(INTERVAL '10 seconds', date_time) AS w, max(price) AS price
    FROM bid
    GROUP BY tumble(INTERVAL '10 seconds', date_time)
) AS m ON b.w."start" = m.w."start" AND b.price = m.price
