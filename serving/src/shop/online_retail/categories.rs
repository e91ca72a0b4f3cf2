//! A shop category for an article that has only a description: the first category one of whose words stands in it.

/// Categories with the words that speak for them; earlier ones win ("CHRISTMAS CARD" is Christmas).
const TABLE: [(&str, &[&str]); 12] = [
    (
        "Christmas & Easter",
        &["CHRISTMAS", "XMAS", "ADVENT", "SANTA", "REINDEER", "BAUBLE", "BAUBLES", "SNOWFLAKE", "SNOWMAN", "EASTER", "BUNNY", "CHICK", "STOCKING", "WREATH"],
    ),
    ("Bags & Travel", &["BAG", "BAGS", "HANDBAG", "PURSE", "TRAVEL", "SUITCASE", "SUITCASES", "PASSPORT", "LUGGAGE", "UMBRELLA", "SHOPPER", "BACKPACK", "RUCKSACK"]),
    (
        "Jewellery & Accessories",
        &["NECKLACE", "NECKLACES", "EARRING", "EARRINGS", "BRACELET", "BRACELETS", "RING", "RINGS", "CHARM", "HAIR", "BROOCH", "SCARF", "BANGLE", "HAIRCLIP", "HAIRSLIDE", "PENDANT"],
    ),
    (
        "Candles & Lighting",
        &["CANDLE", "CANDLES", "T-LIGHT", "T-LIGHTS", "TEALIGHT", "LANTERN", "LANTERNS", "LAMP", "LAMPSHADE", "LIGHT", "LIGHTS", "INCENSE", "CANDLESTICK", "CANDLEHOLDER", "CHANDELIER"],
    ),
    (
        "Kitchen & Dining",
        &[
            "MUG", "MUGS", "CUP", "CUPS", "PLATE", "PLATES", "BOWL", "BOWLS", "TEA", "TEAPOT", "CAKE", "CAKESTAND", "BAKING", "CUTLERY", "KITCHEN", "JAR", "JARS", "BOTTLE", "GLASS", "LUNCH",
            "JUG", "APRON", "TRAY", "SPOON", "SPOONS", "NAPKIN", "NAPKINS", "DOILEY", "DOILIES", "COFFEE", "EGG", "DINNER", "DISH", "PAN", "RECIPE", "COASTER", "COASTERS", "PLACEMAT", "PLACEMATS",
            "JAM", "TOAST", "OVEN", "COCKTAIL", "POPCORN", "SNACK", "PANTRY", "BISCUIT", "CUTTERS", "CHOPSTICKS", "COLANDER", "SCALES", "WHISK", "GOBLET",
        ],
    ),
    (
        "Stationery & Cards",
        &["CARD", "CARDS", "NOTEBOOK", "NOTEBOOKS", "PENCIL", "PENCILS", "PEN", "PENS", "STICKER", "STICKERS", "BOOK", "LETTER", "ENVELOPE", "CALENDAR", "TAPE", "JOURNAL", "MEMO", "RULER", "SHARPENER", "STAMP", "STAMPS", "CHALK", "CRAYONS", "ERASER", "ERASERS", "NOTEPAD", "STATIONERY"],
    ),
    (
        "Party & Gift Wrap",
        &["PARTY", "BUNTING", "BALLOON", "BALLOONS", "GARLAND", "BIRTHDAY", "WRAP", "GIFT", "RIBBON", "RIBBONS", "TISSUE", "TISSUES", "CONES", "STRAWS", "CASES", "INVITES"],
    ),
    (
        "Toys & Crafts",
        &[
            "TOY", "TOYS", "JIGSAW", "DOLL", "DOLLY", "PUZZLE", "PUZZLES", "GAME", "GAMES", "SKITTLES", "CHILDREN'S", "CHILDRENS", "CHILDS", "KIDS", "GIRL", "BOY", "PLAYHOUSE", "FELTCRAFT", "KNITTING",
            "SEWING", "KIT", "DOMINOES", "DOMINO", "SPACEBOY", "MARBLES", "TEDDY", "RABBIT", "DINOSAUR", "DINOSAURS", "SOLDIER", "SOLDIERS", "PATCHES", "YARN", "SPINNING", "ROCKET", "HARMONICA",
        ],
    ),
    ("Garden & Outdoor", &["GARDEN", "PLANT", "PLANTER", "BIRD", "PARASOL", "WATERING", "POT", "POTS", "HERB", "FLOWER", "FLOWERS", "GARDENERS", "PICNIC", "DECKCHAIR", "BIRDHOUSE", "WINDMILL", "SEEDS", "TROWEL"]),
    (
        "Clocks, Frames & Wall Art",
        &["CLOCK", "FRAME", "FRAMES", "MIRROR", "SIGN", "WALL", "ART", "PHOTO", "HOOK", "HOOKS", "PICTURE", "POSTER", "CANVAS", "PRINT", "MAGNET", "MAGNETS", "KNOB", "PLAQUE", "TILE", "TILES", "CHALKBOARD", "BLACKBOARD", "BOARD"],
    ),
    (
        "Storage & Furniture",
        &["BOX", "BOXES", "TIN", "TINS", "DRAWER", "DRAWERS", "STORAGE", "BASKET", "CABINET", "RACK", "HANGER", "HANGERS", "CRATE", "SHELF", "TABLE", "CHAIR", "STOOL", "BIN", "TRINKET", "HOLDER", "UNIT", "CHEST"],
    ),
    (
        "Home & Textiles",
        &[
            "CUSHION", "CUSHIONS", "DOORMAT", "THROW", "QUILT", "CURTAIN", "RUG", "TOWEL", "TOWELS", "BATH", "BATHROOM", "WARMER", "BLANKET", "SOAP", "DOORSTOP", "HEART", "HEARTS", "DECORATION", "VASE", "COVER",
            "ORNAMENT", "FABRIC", "BELL", "COTTON", "LAVENDER", "BEADS", "STAR", "DOOR", "FAN", "TOADSTOOL", "TOADSTOOLS", "WATER",
        ],
    ),
];

/// Where articles go that no word speaks for: postage, corrections, oddities.
pub const OTHER: &str = "Other";

/// The category for a description, [`OTHER`] if none fits.
pub fn guess(description: &str) -> &'static str {
    let upper = description.to_uppercase();
    let words: Vec<&str> = upper.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '\'').filter(|word| !word.is_empty()).collect();
    TABLE.iter().find(|(_, keys)| keys.iter().any(|key| words.contains(key))).map_or(OTHER, |(category, _)| category)
}

/// Every category that [`guess`] can answer.
pub fn all() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(category, _)| *category).chain([OTHER])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_find_their_shelf() {
        for (description, category) in [
            ("WHITE HANGING HEART T-LIGHT HOLDER", "Candles & Lighting"),
            ("PACK OF 12 CHRISTMAS CARDS", "Christmas & Easter"),
            ("JUMBO BAG RED RETROSPOT", "Bags & Travel"),
            ("REGENCY CAKESTAND 3 TIER", "Kitchen & Dining"),
            ("SET/6 RED SPOTTY PAPER PLATES", "Kitchen & Dining"),
            ("BAGUETTE WALL CLOCK", "Clocks, Frames & Wall Art"),
            ("POSTAGE", OTHER),
            ("", OTHER),
        ] {
            assert_eq!(guess(description), category, "{description}");
        }
    }
}
