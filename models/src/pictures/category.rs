//! What the sample shop sells.

/// A category of products that has a silhouette of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    Mug,
    Bowl,
    Bottle,
    Tin,
    Candle,
    Lamp,
    Clock,
    Chair,
    Cushion,
    TShirt,
    Hoodie,
    Dress,
    Hat,
    Shoe,
    Bag,
    Backpack,
    Umbrella,
    Notebook,
    Ornament,
}

impl Category {
    pub const ALL: [Self; 19] = [
        Self::Mug,
        Self::Bowl,
        Self::Bottle,
        Self::Tin,
        Self::Candle,
        Self::Lamp,
        Self::Clock,
        Self::Chair,
        Self::Cushion,
        Self::TShirt,
        Self::Hoodie,
        Self::Dress,
        Self::Hat,
        Self::Shoe,
        Self::Bag,
        Self::Backpack,
        Self::Umbrella,
        Self::Notebook,
        Self::Ornament,
    ];

    /// Singular, lower case, as it ends a title: `striped navy t-shirt`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mug => "mug",
            Self::Bowl => "bowl",
            Self::Bottle => "bottle",
            Self::Tin => "storage tin",
            Self::Candle => "candle",
            Self::Lamp => "lamp",
            Self::Clock => "clock",
            Self::Chair => "chair",
            Self::Cushion => "cushion",
            Self::TShirt => "t-shirt",
            Self::Hoodie => "hoodie",
            Self::Dress => "dress",
            Self::Hat => "hat",
            Self::Shoe => "shoes",
            Self::Bag => "bag",
            Self::Backpack => "backpack",
            Self::Umbrella => "umbrella",
            Self::Notebook => "notebook",
            Self::Ornament => "hanging ornament",
        }
    }

    /// The name of the department: `Mugs`.
    pub fn department(self) -> &'static str {
        match self {
            Self::Mug => "Mugs",
            Self::Bowl => "Bowls & plates",
            Self::Bottle => "Bottles",
            Self::Tin => "Tins & boxes",
            Self::Candle => "Candles",
            Self::Lamp => "Lamps",
            Self::Clock => "Clocks",
            Self::Chair => "Chairs & stools",
            Self::Cushion => "Cushions",
            Self::TShirt => "T-shirts",
            Self::Hoodie => "Hoodies",
            Self::Dress => "Dresses",
            Self::Hat => "Hats & caps",
            Self::Shoe => "Shoes",
            Self::Bag => "Bags",
            Self::Backpack => "Backpacks",
            Self::Umbrella => "Umbrellas",
            Self::Notebook => "Notebooks",
            Self::Ornament => "Ornaments",
        }
    }

    /// Whether it stands on a table (or hangs and lies before a wall).
    pub(crate) fn stands(self) -> bool {
        use Category as C;
        matches!(self, C::Mug | C::Bottle | C::Tin | C::Candle | C::Lamp | C::Chair | C::Shoe | C::Bag | C::Backpack | C::Hat)
    }

    /// Words of a title that tell the category, most telling first in a tie.
    pub(crate) fn words(self) -> &'static [&'static str] {
        match self {
            Self::Mug => &["mug", "cup", "teacup", "beaker", "saucer"],
            Self::Bowl => &["bowl", "plate", "dish", "platter", "cakestand", "tray"],
            Self::Bottle => &["bottle", "flask", "vase", "jug", "jar"],
            Self::Tin => &["tin", "tins", "box", "caddy", "case", "drawer", "cabinet", "storage"],
            Self::Candle => &["candle", "candles", "light", "lights", "holder", "lantern", "incense"],
            Self::Lamp => &["lamp", "lampshade", "shade"],
            Self::Clock => &["clock", "alarm", "watch"],
            Self::Chair => &["chair", "stool", "seat", "bench", "doorstop"],
            Self::Cushion => &["cushion", "pillow", "throw", "blanket", "quilt", "warmer"],
            Self::TShirt => &["t-shirt", "shirt", "tee", "top", "apron"],
            Self::Hoodie => &["hoodie", "sweater", "jumper", "jacket"],
            Self::Dress => &["dress", "skirt", "gown"],
            Self::Hat => &["hat", "cap", "beanie", "bonnet"],
            Self::Shoe => &["shoe", "shoes", "boot", "boots", "slipper", "slippers", "sneakers"],
            Self::Bag => &["bag", "tote", "purse", "handbag", "shopper", "basket", "wrap"],
            Self::Backpack => &["backpack", "rucksack", "satchel"],
            Self::Umbrella => &["umbrella", "parasol"],
            Self::Notebook => &["notebook", "book", "journal", "card", "cards", "paper", "diary", "magnet", "sign", "frame"],
            Self::Ornament => &["ornament", "decoration", "bauble", "heart", "hanging", "garland", "bunting", "star", "hook"],
        }
    }
}
