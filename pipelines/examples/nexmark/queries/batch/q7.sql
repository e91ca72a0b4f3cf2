SELECT b.auction, b.bidder, b.price, b.date_time, b.extra
FROM bid b
JOIN (
    SELECT date_bin(INTERVAL '10 seconds', date_time) AS start, max(price) AS price
    FROM bid
    GROUP BY date_bin(INTERVAL '10 seconds', date_time)
) AS m ON date_bin(INTERVAL '10 seconds', b.date_time) = m.start AND b.price = m.price
