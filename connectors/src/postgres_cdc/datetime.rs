//! PostgreSQL's ISO date style (with the session in UTC) as the numbers and texts that Debezium writes.

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Days since 1970 of a proleptic Gregorian date; year 0 is 1 BC. (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".)
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter().try_fold(0i64, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

/// Splits off a trailing ` BC`.
fn era(text: &[u8]) -> (&[u8], bool) {
    match text.strip_suffix(b" BC") {
        Some(rest) => (rest, true),
        None => (text, false),
    }
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&byte| byte == separator)?;
    Some((&text[..at], &text[at + 1..]))
}

fn civil_days(date: &[u8], before_christ: bool) -> Option<i64> {
    let (year, rest) = split_once(date, b'-')?;
    let (month, day) = split_once(rest, b'-')?;
    let year = digits(year)?;
    Some(days_from_civil(if before_christ { 1 - year } else { year }, digits(month)?, digits(day)?))
}

/// `2010-12-01`, `0044-03-15 BC`: days since 1970. `infinity` is the largest and `-infinity` the smallest 32-bit number.
pub(super) fn date_days(text: &[u8]) -> Option<i64> {
    match text {
        b"infinity" => return Some(i64::from(i32::MAX)),
        b"-infinity" => return Some(i64::from(i32::MIN)),
        _ => {}
    }
    let (date, before_christ) = era(text);
    civil_days(date, before_christ)
}

/// `08:26:00.5`: microseconds since midnight.
pub(super) fn time_micros(text: &[u8]) -> Option<i64> {
    let (hours, rest) = split_once(text, b':')?;
    let (minutes, seconds) = split_once(rest, b':')?;
    let (seconds, fraction) = split_once(seconds, b'.').unwrap_or((seconds, b"0"));
    if fraction.len() > 6 {
        return None;
    }
    let fraction = digits(fraction)? * 10i64.pow(6 - fraction.len() as u32);
    Some(((digits(hours)? * 60 + digits(minutes)?) * 60 + digits(seconds)?) * MICROS_PER_SECOND + fraction)
}

/// `2010-12-01 08:26:00`: microseconds since 1970. The infinities are the largest and smallest 64-bit numbers.
pub(super) fn timestamp_micros(text: &[u8]) -> Option<i64> {
    match text {
        b"infinity" => return Some(i64::MAX),
        b"-infinity" => return Some(i64::MIN),
        _ => {}
    }
    let (text, before_christ) = era(text);
    let (date, time) = split_once(text, b' ')?;
    civil_days(date, before_christ)?.checked_mul(MICROS_PER_DAY)?.checked_add(time_micros(time)?)
}

/// `2010-12-01 08:26:00.5+00` as `2010-12-01T08:26:00.5Z`. `None` unless the value is in UTC; the infinities stay what they are.
pub(super) fn write_timestamptz(out: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    if matches!(text, b"infinity" | b"-infinity") {
        out.extend_from_slice(text);
        return Some(());
    }
    let (text, before_christ) = era(text);
    let (date, time) = split_once(text.strip_suffix(b"+00")?, b' ')?;
    if before_christ {
        let (year, rest) = split_once(date, b'-')?;
        out.extend_from_slice(format!("-{:04}-", digits(year)? - 1).as_bytes());
        out.extend_from_slice(rest);
    } else {
        if date.len() > 10 {
            out.push(b'+');
        }
        out.extend_from_slice(date);
    }
    out.push(b'T');
    out.extend_from_slice(time);
    out.push(b'Z');
    Some(())
}

/// `10:00:00.5+02:30` as `07:30:00.5Z`.
pub(super) fn write_timetz(out: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    let zone_at = text.iter().rposition(|&byte| byte == b'+' || byte == b'-')?;
    let (time, zone) = text.split_at(zone_at);
    let mut offset_s = 0;
    for (part, unit_s) in zone[1..].split(|&byte| byte == b':').zip([3600, 60, 1]) {
        offset_s += digits(part)? * unit_s;
    }
    if zone[0] == b'-' {
        offset_s = -offset_s;
    }
    let micros = (time_micros(time)? - offset_s * MICROS_PER_SECOND).rem_euclid(MICROS_PER_DAY);
    let (seconds, fraction) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction > 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    out.extend_from_slice(text.as_bytes());
    out.push(b'Z');
    Some(())
}

/// `1 year 2 mons -3 days 04:05:06.5` (interval style `postgres`): microseconds, a month being 365.25 / 12 days as in Debezium.
pub(super) fn interval_micros(text: &[u8]) -> Option<i64> {
    let mut micros = 0i64;
    let mut words = text.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let negative = word[0] == b'-';
        let size = word.strip_prefix(b"-").or_else(|| word.strip_prefix(b"+")).unwrap_or(word);
        let part = if size.contains(&b':') {
            time_micros(size)?
        } else {
            let unit = match words.next()? {
                b"year" | b"years" => MICROS_PER_DAY * 1461 / 4,
                b"mon" | b"mons" => MICROS_PER_DAY * 1461 / 48,
                b"day" | b"days" => MICROS_PER_DAY,
                _ => return None,
            };
            digits(size)?.checked_mul(unit)?
        };
        micros = micros.checked_add(if negative { -part } else { part })?;
    }
    Some(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: fn(&mut Vec<u8>, &[u8]) -> Option<()>, text: &str) -> Option<String> {
        let mut out = Vec::new();
        write(&mut out, text.as_bytes())?;
        Some(String::from_utf8(out).expect("text"))
    }

    /// chrono is the independent answer.
    #[test]
    fn days_and_microseconds_agree_with_chrono() {
        let first = chrono::NaiveDate::from_ymd_opt(1600, 1, 1).expect("a date");
        let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");
        for step in (0..300_000).step_by(89) {
            let date = first + chrono::Duration::days(step);
            assert_eq!(date_days(date.to_string().as_bytes()), Some((date - epoch).num_days()), "{date}");
            let text = format!("{date} 13:07:09.250001");
            let at = date.and_hms_micro_opt(13, 7, 9, 250_001).expect("a time").and_utc().timestamp_micros();
            assert_eq!(timestamp_micros(text.as_bytes()), Some(at), "{text}");
        }
    }

    #[test]
    fn odd_dates_and_times() {
        assert_eq!(date_days(b"0001-01-01 BC"), Some(-719_528));
        assert_eq!(date_days(b"infinity"), Some(i64::from(i32::MAX)));
        assert_eq!(time_micros(b"24:00:00"), Some(86_400_000_000));
        assert_eq!(time_micros(b"00:00:00.000001"), Some(1));
        assert_eq!(date_days(b"yesterday"), None);
        assert_eq!(written(write_timestamptz, "2010-12-01 08:26:00+00").as_deref(), Some("2010-12-01T08:26:00Z"));
        assert_eq!(written(write_timestamptz, "2010-12-01 08:26:00.123456+00").as_deref(), Some("2010-12-01T08:26:00.123456Z"));
        assert_eq!(written(write_timestamptz, "0044-03-15 12:00:00+00 BC").as_deref(), Some("-0043-03-15T12:00:00Z"));
        assert_eq!(written(write_timestamptz, "12010-12-01 08:26:00+00").as_deref(), Some("+12010-12-01T08:26:00Z"));
        assert_eq!(written(write_timestamptz, "2010-12-01 08:26:00+01"), None, "the session is not in UTC");
        assert_eq!(written(write_timetz, "10:00:00.5+02:30").as_deref(), Some("07:30:00.5Z"));
        assert_eq!(written(write_timetz, "01:00:00+02").as_deref(), Some("23:00:00Z"));
    }

    #[test]
    fn intervals_are_microseconds() {
        assert_eq!(interval_micros(b"00:00:01.5"), Some(1_500_000));
        assert_eq!(interval_micros(b"-1 days +02:00:00"), Some(-79_200_000_000));
        assert_eq!(interval_micros(b"1 mon"), Some(2_629_800_000_000));
        assert_eq!(interval_micros(b"1 year"), Some(31_557_600_000_000));
    }
}
