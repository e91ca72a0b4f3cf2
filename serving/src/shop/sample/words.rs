//! The words of the sample shop: who makes things, what ranges are called, what can be said about a thing.

use chimera_models::pictures::Category;

/// A maker with the names of its ranges.
pub struct Maker {
    pub brand: &'static str,
    pub about: &'static str,
    pub ranges: [&'static str; 4],
}

pub const MAKERS: [Maker; 12] = [
    Maker {
        brand: "Harbour & Pine",
        about: "Seaside homeware from a family workshop.",
        ranges: ["Harbour", "Tideline", "Lighthouse", "Pinewood"],
    },
    Maker { brand: "Marlowe", about: "Plain things, made well.", ranges: ["Marlowe", "Everyday", "Sunday", "Study"] },
    Maker { brand: "Copper Kettle", about: "For kitchens that are lived in.", ranges: ["Kettle", "Pantry", "Larder", "Hearth"] },
    Maker { brand: "Finch", about: "Small patterns, bright colours.", ranges: ["Finch", "Hedgerow", "Songbird", "Meadow"] },
    Maker { brand: "Oslo Studio", about: "Scandinavian shapes at fair prices.", ranges: ["Oslo", "Fjord", "Birch", "Polar"] },
    Maker { brand: "Juniper", about: "Slow design with a green heart.", ranges: ["Juniper", "Orchard", "Fern", "Willow"] },
    Maker { brand: "Redwall", about: "Hard-wearing goods for town and trail.", ranges: ["Redwall", "Trail", "Summit", "Depot"] },
    Maker { brand: "Lumen", about: "Light, and everything around it.", ranges: ["Lumen", "Dusk", "Halo", "Ember"] },
    Maker { brand: "Tansy", about: "Prints by artists, a new one each month.", ranges: ["Tansy", "Atelier", "Carnival", "Mosaic"] },
    Maker { brand: "Northgate", about: "British classics, never out of fashion.", ranges: ["Northgate", "Regent", "Abbey", "Mercer"] },
    Maker { brand: "Paper Crane", about: "Gifts and stationery from recycled paper.", ranges: ["Crane", "Folio", "Origami", "Postcard"] },
    Maker { brand: "Sol", about: "Colours of the south.", ranges: ["Sol", "Riviera", "Siesta", "Palma"] },
];

/// What can be said about the things of a category.
pub struct Facts {
    /// From … to …, in pence.
    pub price_pence: (i32, i32),
    pub materials: [&'static str; 3],
    /// What it is for, to end a sentence.
    pub uses: [&'static str; 3],
    /// What it can be chosen in, with the name of that choice; empty if there is no choice.
    pub choice: &'static str,
    pub choices: &'static [&'static str],
}

const SIZES: &[&str] = &["S", "M", "L", "XL"];
const NONE: &[&str] = &[];

pub fn facts(category: Category) -> Facts {
    use Category as C;
    let made = |price_pence, materials, uses, choice, choices| Facts { price_pence, materials, uses, choice, choices };
    match category {
        C::Mug => made(
            (595, 1495),
            ["stoneware", "fine bone china", "enamelled steel"],
            ["your morning coffee", "tea for one", "the office shelf"],
            "volume",
            &["300 ml", "450 ml"],
        ),
        C::Bowl => made(
            (695, 2495),
            ["stoneware", "glazed ceramic", "mango wood"],
            ["breakfast", "a salad to share", "the fruit on your table"],
            "diameter",
            &["16 cm", "24 cm"],
        ),
        C::Bottle => made(
            (1195, 2995),
            ["insulated steel", "borosilicate glass", "Tritan"],
            ["a long walk", "your desk", "cold drinks all day"],
            "volume",
            &["500 ml", "750 ml"],
        ),
        C::Tin => made(
            (495, 1995),
            ["tinplate", "powder-coated steel", "pressed board"],
            ["biscuits", "buttons and thread", "everything that lies about"],
            "",
            NONE,
        ),
        C::Candle => made(
            (795, 2495),
            ["soy wax", "beeswax", "rapeseed wax"],
            ["long evenings", "a quiet bath", "the middle of the table"],
            "scent",
            &["fig", "cedar", "unscented"],
        ),
        C::Lamp => made(
            (2995, 8995),
            ["linen and oak", "spun aluminium", "hand-blown glass"],
            ["your bedside", "a reading corner", "soft light in the hall"],
            "",
            NONE,
        ),
        C::Clock => {
            made((1995, 5995), ["birch ply", "enamelled metal", "glass"], ["the kitchen wall", "a child's room", "being on time"], "", NONE)
        }
        C::Chair => made(
            (4995, 14995),
            ["solid beech", "steel and canvas", "moulded ply"],
            ["the dining table", "a sunny window", "extra guests"],
            "",
            NONE,
        ),
        C::Cushion => made(
            (1495, 3995),
            ["brushed cotton", "linen", "recycled wool"],
            ["your sofa", "the garden bench", "an afternoon nap"],
            "size",
            &["45 cm", "60 cm"],
        ),
        C::TShirt => made(
            (1495, 2995),
            ["organic cotton", "cotton and linen", "heavy jersey"],
            ["every day", "a summer in town", "layering"],
            "size",
            SIZES,
        ),
        C::Hoodie => made(
            (2995, 5995),
            ["loopback cotton", "brushed fleece", "recycled cotton"],
            ["cool evenings", "lazy Sundays", "the way to the gym"],
            "size",
            SIZES,
        ),
        C::Dress => made(
            (3495, 8995),
            ["viscose crêpe", "cotton poplin", "linen"],
            ["garden parties", "the office and after", "warm days"],
            "size",
            SIZES,
        ),
        C::Hat => made((1295, 3495), ["wool felt", "cotton twill", "merino"], ["windy days", "the beach", "a walk in the frost"], "", NONE),
        C::Shoe => made(
            (3995, 9995),
            ["full-grain leather", "canvas", "suede"],
            ["miles of pavement", "weekends", "rain or shine"],
            "size",
            &["38", "40", "42", "44"],
        ),
        C::Bag => made(
            (1995, 7995),
            ["waxed canvas", "vegetable-tanned leather", "organic cotton"],
            ["the market", "a laptop and lunch", "a night away"],
            "",
            NONE,
        ),
        C::Backpack => made(
            (3495, 9995),
            ["recycled polyester", "waxed canvas", "ripstop nylon"],
            ["the way to school", "a day in the hills", "your commute"],
            "",
            NONE,
        ),
        C::Umbrella => made(
            (1495, 3995),
            ["fibreglass and pongee", "beech and cotton", "recycled bottles"],
            ["April", "two people in the rain", "your bag"],
            "",
            NONE,
        ),
        C::Notebook => made(
            (495, 1995),
            ["recycled paper", "linen-bound paper", "stone paper"],
            ["lists", "sketches and plans", "a diary of small things"],
            "ruling",
            &["lined", "plain", "dotted"],
        ),
        C::Ornament => made((395, 1495), ["birch ply", "hand-blown glass", "felt"], ["the tree", "a window", "a child's door"], "", NONE),
    }
}
