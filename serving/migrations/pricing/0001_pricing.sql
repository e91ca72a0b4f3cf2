-- What is taken off a basket's prices, and what comes on top: promotions and their coupons, taxes, shipping.

CREATE TABLE promotions (
    id                   uuid PRIMARY KEY,
    name                 varchar(120) NOT NULL CHECK (name <> ''),
    kind                 varchar(20) NOT NULL CHECK (kind IN ('percentage', 'basket_amount', 'line_amount', 'buy_x_get_y', 'free_shipping')),
    basis_points         integer CHECK (basis_points BETWEEN 1 AND 10000),
    amount_cents         bigint CHECK (amount_cents > 0),
    buy_quantity         integer CHECK (buy_quantity > 0),
    get_quantity         integer CHECK (get_quantity > 0),
    scope                varchar(20) NOT NULL CHECK (scope IN ('all', 'categories', 'skus')),
    category_ids         uuid[] NOT NULL DEFAULT '{}' CHECK (cardinality(category_ids) <= 200),
    skus                 text[] NOT NULL DEFAULT '{}' CHECK (cardinality(skus) <= 1000),
    currency             varchar(3) CHECK (currency ~ '^[A-Z]{3}$'),
    minimum_basket_cents bigint NOT NULL DEFAULT 0 CHECK (minimum_basket_cents >= 0),
    starts_at            timestamptz,
    ends_at              timestamptz,
    needs_coupon         boolean NOT NULL,
    priority             integer NOT NULL CHECK (priority >= 0),
    is_exclusive         boolean NOT NULL,
    max_redemptions      bigint CHECK (max_redemptions > 0),
    max_per_customer     bigint CHECK (max_per_customer > 0),
    is_active            boolean NOT NULL,
    used_count           bigint NOT NULL DEFAULT 0 CHECK (used_count >= 0),
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CHECK (ends_at > starts_at),
    CHECK (used_count <= max_redemptions),
    CHECK ((kind IN ('percentage', 'buy_x_get_y')) = (basis_points IS NOT NULL)),
    CHECK ((kind IN ('basket_amount', 'line_amount')) = (amount_cents IS NOT NULL)),
    CHECK ((kind = 'buy_x_get_y') = (buy_quantity IS NOT NULL)),
    CHECK ((kind = 'buy_x_get_y') = (get_quantity IS NOT NULL)),
    CHECK ((scope = 'categories') = (cardinality(category_ids) > 0)),
    CHECK ((scope = 'skus') = (cardinality(skus) > 0)),
    CHECK (currency IS NOT NULL OR (amount_cents IS NULL AND minimum_basket_cents = 0))
);
COMMENT ON COLUMN promotions.basis_points IS 'Hundredths of a percent that are taken off; 10000 is for nothing.';
COMMENT ON COLUMN promotions.category_ids IS 'Of the catalogue; what stands in a category below one of these is meant too.';
COMMENT ON COLUMN promotions.currency IS 'Baskets of another are not meant. Null: of any; then nothing here may be an amount of money.';
COMMENT ON COLUMN promotions.priority IS 'The stacking order: smaller ones are applied first, later ones to what they leave.';
COMMENT ON COLUMN promotions.is_exclusive IS 'Applies only if nothing was applied before it, and nothing is after it.';
COMMENT ON COLUMN promotions.used_count IS 'How many rows of redeemed_promotions there are of it.';
CREATE INDEX promotions_automatic ON promotions (priority, id) WHERE is_active AND NOT needs_coupon;

CREATE TABLE coupons (
    code            varchar(40) PRIMARY KEY CHECK (code ~ '^[A-Z0-9-]{3,40}$'),
    promotion_id    uuid NOT NULL REFERENCES promotions (id) ON DELETE CASCADE,
    max_redemptions bigint CHECK (max_redemptions > 0),
    used_count      bigint NOT NULL DEFAULT 0 CHECK (used_count >= 0),
    created_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (used_count <= max_redemptions)
);
COMMENT ON COLUMN coupons.code IS 'In capital letters; shoppers may write it in any.';
CREATE INDEX coupons_promotion_id ON coupons (promotion_id, code);

CREATE TABLE redemptions (
    id          uuid PRIMARY KEY,
    user_id     uuid,
    redeemed_at timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz
);
COMMENT ON TABLE redemptions IS 'Each use of promotions, under the id that whoever places the order gave it.';
COMMENT ON COLUMN redemptions.released_at IS 'It counts no more, and never again under this id. A release may come before its redemption: then that is refused.';
CREATE INDEX redemptions_user_id ON redemptions (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE redeemed_promotions (
    redemption_id uuid NOT NULL REFERENCES redemptions (id),
    promotion_id  uuid NOT NULL REFERENCES promotions (id),
    user_id       uuid,
    coupon        varchar(40) REFERENCES coupons (code),
    PRIMARY KEY (redemption_id, promotion_id)
);
COMMENT ON TABLE redeemed_promotions IS 'What counts against the limits: rows of released redemptions are removed.';
CREATE INDEX redeemed_promotions_promotion_id ON redeemed_promotions (promotion_id, user_id);
CREATE INDEX redeemed_promotions_user_id ON redeemed_promotions (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX redeemed_promotions_coupon ON redeemed_promotions (coupon) WHERE coupon IS NOT NULL;

CREATE TABLE tax_countries (
    country            varchar(60) PRIMARY KEY CHECK (country <> ''),
    prices_include_tax boolean NOT NULL
);
COMMENT ON COLUMN tax_countries.country IS 'As orders name it; `*` is every country that has no row of its own.';
CREATE UNIQUE INDEX tax_countries_any_case ON tax_countries (lower(country));

CREATE TABLE tax_rates (
    country        varchar(60) NOT NULL REFERENCES tax_countries (country) ON DELETE CASCADE,
    state_province varchar(100) CHECK (state_province <> ''),
    category_id    uuid,
    basis_points   integer NOT NULL CHECK (basis_points BETWEEN 0 AND 10000)
);
COMMENT ON COLUMN tax_rates.state_province IS 'Null: everywhere in the country.';
COMMENT ON COLUMN tax_rates.category_id IS 'Of the catalogue, with those below it. Null: whatever has no rate by its category.';
CREATE UNIQUE INDEX tax_rates_one_each ON tax_rates (country, lower(coalesce(state_province, '')),
    coalesce(category_id, '00000000-0000-0000-0000-000000000000'));

CREATE TABLE shipping_rates (
    country             varchar(60) NOT NULL CHECK (country <> ''),
    method              varchar(20) NOT NULL CHECK (method IN ('standard', 'express')),
    currency            varchar(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    from_subtotal_cents bigint NOT NULL CHECK (from_subtotal_cents >= 0),
    price_cents         bigint NOT NULL CHECK (price_cents >= 0)
);
COMMENT ON COLUMN shipping_rates.country IS 'As orders name it; `*` is every country that has no row of its own of this method and currency.';
COMMENT ON COLUMN shipping_rates.from_subtotal_cents IS 'The row is for baskets whose prices, with nothing taken off, add up to this or more.';
CREATE UNIQUE INDEX shipping_rates_one_each ON shipping_rates (lower(country), method, currency, from_subtotal_cents);

INSERT INTO tax_countries (country, prices_include_tax) VALUES
    ('*', false), ('United Kingdom', true), ('EIRE', true), ('Germany', true), ('France', true), ('Spain', true), ('Italy', true),
    ('Netherlands', true), ('Belgium', true), ('United States', false);
INSERT INTO tax_rates (country, basis_points) VALUES
    ('*', 0), ('United Kingdom', 2000), ('EIRE', 2300), ('Germany', 1900), ('France', 2000), ('Spain', 2100), ('Italy', 2200),
    ('Netherlands', 2100), ('Belgium', 2100), ('United States', 0);
INSERT INTO shipping_rates (country, method, currency, from_subtotal_cents, price_cents)
    SELECT '*', method, currency, from_subtotal_cents, price_cents
    FROM (VALUES ('standard', 0, 495), ('standard', 5000, 0), ('express', 0, 995)) AS bracket(method, from_subtotal_cents, price_cents)
    CROSS JOIN unnest(ARRAY['GBP', 'EUR', 'USD']) AS currency;
