-- For the audit trail.
ALTER TABLE promotions REPLICA IDENTITY FULL;
ALTER TABLE coupons REPLICA IDENTITY FULL;
ALTER TABLE redemptions REPLICA IDENTITY FULL;
ALTER TABLE redeemed_promotions REPLICA IDENTITY FULL;
ALTER TABLE tax_countries REPLICA IDENTITY FULL;
ALTER TABLE tax_rates REPLICA IDENTITY FULL;
ALTER TABLE shipping_rates REPLICA IDENTITY FULL;
CREATE PUBLICATION chimera FOR TABLE promotions, coupons, redemptions, redeemed_promotions, tax_countries, tax_rates, shipping_rates;
