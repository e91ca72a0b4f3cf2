use super::path::Path;
use super::raster::Mask;
use super::*;

#[test]
fn coverage_sums_to_the_area_of_the_shape() {
    let size = 200;
    let area = |path: Path| Mask::of(&path, size).cover.iter().sum::<f32>() / (size * size) as f32;
    let disc = std::f32::consts::PI * 0.3 * 0.3;
    assert!((area(Path::circle(0.5, 0.5, 0.3)) - disc).abs() < 0.002, "a disc covers πr²");
    let ring = area(Path::circle(0.5, 0.5, 0.3).without(Path::circle(0.5, 0.5, 0.2)));
    assert!((ring - std::f32::consts::PI * (0.09 - 0.04)).abs() < 0.002, "a hole is cut out, got {ring}");
    let joined = area(Path::rect(0.2, 0.2, 0.6, 0.6).and(Path::rect(0.4, 0.4, 0.8, 0.8)));
    assert!((joined - (0.16 + 0.16 - 0.04)).abs() < 1e-4, "an overlap counts once, got {joined}");
    assert!((area(Path::rect(-1.0, -1.0, 2.0, 0.5)) - 0.5).abs() < 1e-4, "what lies outside is cut off");
}

#[test]
fn a_look_always_makes_the_same_picture() {
    for category in Category::ALL {
        let (a, b) = (ProductLook::new(category, 42), ProductLook::new(category, 42));
        assert_eq!(a, b);
        assert_eq!(a.draw(Shot::Studio, 48), b.draw(Shot::Studio, 48));
        assert_eq!(a.jpeg(Shot::Wild(3), 48), b.jpeg(Shot::Wild(3), 48));
        assert_ne!(a.draw(Shot::Wild(3), 48), a.draw(Shot::Wild(4), 48), "another photograph is another picture");
        assert_ne!(a.draw(Shot::Studio, 48), ProductLook::new(category, 43).draw(Shot::Studio, 48));
    }
}

#[test]
fn every_category_and_build_fills_the_frame_and_stays_in_it() {
    for category in Category::ALL {
        for seed in 0..12 {
            let picture = ProductLook::new(category, seed).in_colour(Colour::named("navy").expect("named")).draw(Shot::Studio, 96);
            let dark = |x: u32, y: u32| picture.get_pixel(x, y).0.iter().map(|c| u32::from(*c)).sum::<u32>() < 560;
            let covered = (0..96 * 96).filter(|i| dark(i % 96, i / 96)).count();
            assert!((400..8000).contains(&covered), "{category:?} {seed} covers {covered} of 9216 pixels");
            let corners = [(0, 0), (95, 0), (0, 95), (95, 95)];
            assert!(corners.iter().all(|(x, y)| !dark(*x, *y)), "{category:?} {seed} reaches a corner");
        }
    }
}

#[test]
fn titles_say_what_the_picture_shows() {
    let look = ProductLook::new(Category::Mug, 1).with_pattern(PatternKind::Striped).in_colour(Colour::named("navy").expect("named"));
    assert_eq!((look.title().as_str(), look.pattern_name(), look.colour_name()), ("Striped navy mug", "striped", "navy"));
    let read = ProductLook::from_title("RED RETROSPOT MUG", 9);
    assert_eq!((read.category, read.pattern_name(), read.colour_name()), (Category::Mug, "spotted", "red"));
    let again = ProductLook::from_title(&look.title(), 1);
    assert_eq!((again.category, again.pattern.kind, again.colours.main), (look.category, look.pattern.kind, look.colours.main));
}

#[test]
fn variants_of_a_design_differ_in_colour_only() {
    let look = ProductLook::new(Category::Bag, 7);
    let other = look.colour_variant(1);
    assert_eq!((other.shape, other.pattern), (look.shape, look.pattern));
    assert_ne!(other.colours.main, look.colours.main);
    assert_eq!(look.colour_variant(0), look);
}
