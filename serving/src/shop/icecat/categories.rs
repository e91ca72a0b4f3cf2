//! A shop category from a product's title: the first one of whose words stands in it.

/// Categories with the words that speak for them; earlier ones win (a "laptop battery" is Power, a "notebook sleeve" a case).
const TABLE: [(&str, &[&str]); 14] = [
    (
        "Toys & Home",
        &[
            "doll",
            "playhouse",
            "toy",
            "toys",
            "kids",
            "kids'",
            "coffee",
            "espresso",
            "nail",
            "fryer",
            "kettle",
            "vacuum",
            "shaver",
            "toothbrush",
        ],
    ),
    (
        "Ink & Toner",
        &["toner", "cartridge", "cartridges", "ink", "drum", "fuser", "ribbon", "maintenance", "singlepack", "multipack", "printhead"],
    ),
    ("Paper & Labels", &["paper", "labels", "label", "envelope", "envelopes", "film", "matte", "glossy", "inscription", "canvas"]),
    (
        "Cables & Adapters",
        &[
            "cable",
            "cables",
            "cord",
            "patch",
            "adapter",
            "coupler",
            "connector",
            "splitter",
            "extension",
            "lead",
            "crossover",
            "converter",
            "dongle",
        ],
    ),
    ("Power", &["ups", "uninterruptible", "surge", "battery", "charger", "power", "pdu", "outlet", "batteries"]),
    ("Bags & Cases", &["case", "backpack", "sleeve", "bag", "cover", "briefcase", "folio", "pouch", "protector", "privacy"]),
    (
        "Memory & Storage",
        &["memory", "ssd", "flash", "hdd", "drive", "tape", "disk", "dvd", "cd-r", "blu-ray", "nas", "microsd", "dimm", "media"],
    ),
    ("Processors & Boards", &["processor", "motherboard", "board", "graphics", "xeon", "chassis", "raid", "cooler"]),
    ("Printers & Scanners", &["printer", "laserjet", "designjet", "phaser", "scanner", "multifunctional", "inkjet", "copier", "imprinter"]),
    ("Monitors & Projectors", &["monitor", "projector", "screen", "display", "tv", "mount", "television", "whiteboard"]),
    (
        "Networking",
        &[
            "switch",
            "router",
            "network",
            "networking",
            "ethernet",
            "gigabit",
            "fiber",
            "wireless",
            "transceiver",
            "modem",
            "firewall",
            "rack",
        ],
    ),
    (
        "Audio & Cameras",
        &[
            "headphones",
            "headset",
            "speaker",
            "speakers",
            "audio",
            "player",
            "stereo",
            "camera",
            "lens",
            "webcam",
            "microphone",
            "camcorder",
            "radio",
        ],
    ),
    ("Keyboards & Mice", &["keyboard", "mouse", "trackball", "keypad", "stylus", "numeric"]),
    (
        "Computers",
        &[
            "notebook",
            "laptop",
            "pc",
            "workstation",
            "chromebook",
            "netbook",
            "server",
            "desktop",
            "tablet",
            "tower",
            "barebone",
            "smartphone",
            "phone",
        ],
    ),
];

/// Where products go that no word speaks for.
pub const OTHER: &str = "Electronics";

/// The manufacturer's product type speaks first, then the title.
pub fn guess(title: &str, product_type: Option<&str>) -> &'static str {
    product_type.and_then(find).or_else(|| find(title)).unwrap_or(OTHER)
}

fn find(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '\'').collect();
    TABLE.iter().find(|(_, keys)| keys.iter().any(|key| words.contains(key))).map(|(category, _)| *category)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_find_their_shelf() {
        for (title, kind, category) in [
            ("Xerox 006R90321 toner cartridge Original Black 6 pc(s)", Some("Original"), "Ink & Toner"),
            ("C2G 3m Cat6 Patch Cable", None, "Cables & Adapters"),
            ("HP Pavilion dv7-1211ea 43.2 cm (17\")", Some("Notebook"), "Computers"),
            ("Zapf Creation dress", Some("Doll dress"), "Toys & Home"),
            ("Something else", None, OTHER),
        ] {
            assert_eq!(guess(title, kind), category, "{title}");
        }
    }
}
