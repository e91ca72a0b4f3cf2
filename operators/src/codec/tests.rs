//! Rows come back, sort and compare as their values do.

use super::*;
use arrow::array::*;
use arrow::datatypes::{Int32Type, TimeUnit};
use std::sync::Arc;

fn columns() -> Vec<ArrayRef> {
    let texts = vec![
        Some("a\0b"),
        None,
        Some(""),
        Some("67e55044-10b1-426f-9247-bb680e5fe0c8"),
        Some("67E55044-10B1-426F-9247-BB680E5FE0C8"),
        Some("a"),
        Some("ab"),
        Some("67e55044-10b1-426f-9247-bb680e5fe0c80"),
    ];
    let longs = [None, Some(i64::MIN), Some(-1), Some(0), Some(111), Some(112), Some(i64::MAX), Some(-113)];
    let doubles = [Some(f64::NAN), None, Some(-1.5), Some(-2.0), Some(0.0), Some(1e300), Some(f64::INFINITY), Some(1.0)];
    let decimals = [None, Some(-12_345_678_901_234_567_890_123), Some(-1), Some(0), Some(42), Some(99_999), Some(i128::MAX / 4), Some(7)];
    let lists = vec![
        None,
        Some(vec![]),
        Some(vec![Some(1)]),
        Some(vec![None]),
        Some(vec![Some(1), Some(2)]),
        None,
        Some(vec![Some(0)]),
        Some(vec![Some(-1)]),
    ];
    let bytes: Vec<Option<&[u8]>> =
        vec![Some(&[0, 0]), Some(&[0]), None, Some(&[]), Some(&[0, 1]), Some(&[255, 255]), Some(&[255]), Some(&[7; 300])];
    let times = TimestampMicrosecondArray::from_iter(longs.map(|long| long.map(|long| long / 1000))).with_timezone("UTC");
    vec![
        Arc::new(StringArray::from(texts)),
        Arc::new(Int64Array::from_iter(longs)),
        Arc::new(Int32Array::from_iter(longs.map(|long| long.map(|long| long as i32)))),
        Arc::new(UInt64Array::from_iter(longs.map(|long| long.map(|long| long as u64)))),
        Arc::new(UInt8Array::from_iter(longs.map(|long| long.map(|long| long as u8)))),
        Arc::new(Float64Array::from_iter(doubles)),
        Arc::new(Float32Array::from_iter(doubles.map(|double| double.map(|double| double as f32)))),
        Arc::new(Decimal128Array::from_iter(decimals).with_precision_and_scale(38, 2).unwrap()),
        Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true), None, None, Some(false), Some(true)])),
        Arc::new(times),
        Arc::new(Time32SecondArray::from_iter(longs.map(|long| long.map(|long| (long as i32).unsigned_abs() as i32 % 86_400)))),
        Arc::new(BinaryArray::from(bytes)),
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists)),
        Arc::new(NullArray::new(8)),
    ]
}

fn orders() -> impl Iterator<Item = SortOptions> {
    [(false, true), (false, false), (true, true), (true, false)]
        .into_iter()
        .map(|(descending, nulls_first)| SortOptions { descending, nulls_first })
}

#[test]
fn rows_come_back_as_they_went_in() {
    let columns = columns();
    for order in std::iter::once(None).chain(orders().map(Some)) {
        let encodings = columns.iter().map(|column| Encoding { data_type: column.data_type().clone(), order }).collect();
        let codec = Codec::new(encodings).unwrap();
        // A slice begins in the middle of its buffers.
        for columns in [columns.clone(), columns.iter().map(|column| column.slice(3, 5)).collect()] {
            let rows = codec.encode(&columns).unwrap();
            let decoded = codec.decode((0..rows.len()).map(|row| rows.get(row))).unwrap();
            for (column, decoded) in columns.iter().zip(&decoded) {
                assert_eq!(column.as_ref(), decoded.as_ref(), "{order:?}");
            }
            assert_eq!(codec.prefix_length(rows.get(2), columns.len()).unwrap(), rows.get(2).len());
        }
    }
}

#[test]
fn sorted_rows_sort_as_arrow_sorts() {
    for column in columns() {
        for order in orders() {
            let data_type = column.data_type().clone();
            let arrow = RowConverter::new(vec![SortField::new_with_options(data_type.clone(), order)]).unwrap();
            let expected = arrow.convert_columns(std::slice::from_ref(&column)).unwrap();
            let rows = Codec::new(vec![Encoding::sorted(data_type.clone(), order)]).unwrap().encode(std::slice::from_ref(&column)).unwrap();
            for a in 0..column.len() {
                for b in 0..column.len() {
                    assert_eq!(rows.get(a).cmp(rows.get(b)), expected.row(a).cmp(&expected.row(b)), "{data_type} {order:?} {a} {b}");
                }
            }
        }
    }
}

#[test]
fn compact_rows_are_equal_when_the_values_are() {
    for column in columns() {
        let data_type = column.data_type().clone();
        let arrow = RowConverter::new(vec![SortField::new(data_type.clone())]).unwrap();
        let expected = arrow.convert_columns(std::slice::from_ref(&column)).unwrap();
        let rows = Codec::new(vec![Encoding::compact(data_type.clone())]).unwrap().encode(std::slice::from_ref(&column)).unwrap();
        for a in 0..column.len() {
            assert_eq!(rows.get(a)[0] == NULL, column.logical_nulls().is_some_and(|nulls| nulls.is_null(a)), "{data_type} {a}");
            for b in 0..column.len() {
                assert_eq!(rows.get(a) == rows.get(b), expected.row(a) == expected.row(b), "{data_type} {a} {b}");
            }
        }
    }
}

#[test]
fn an_order_number_takes_seventeen_bytes() {
    let codec =
        Codec::new(vec![Encoding::compact(DataType::Utf8), Encoding::compact(DataType::Timestamp(TimeUnit::Second, None))]).unwrap();
    let id: ArrayRef = Arc::new(StringArray::from(vec!["67e55044-10b1-426f-9247-bb680e5fe0c8"]));
    let time: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0]));
    assert_eq!(codec.encode(&[id, time]).unwrap().get(0).len(), 17 + 1);
}

#[test]
fn there_is_one_zero_and_one_nan() {
    let numbers = [f64::NEG_INFINITY, -1.0, -0.0, 0.0, 1.0, f64::INFINITY, f64::NAN, -f64::NAN];
    for order in std::iter::once(None).chain(orders().map(Some)) {
        let codec = Codec::new(vec![Encoding { data_type: DataType::Float64, order }]).unwrap();
        let rows = codec.encode(&[Arc::new(Float64Array::from(numbers.to_vec()))]).unwrap();
        assert!(rows.get(2) == rows.get(3) && rows.get(6) == rows.get(7) && rows.get(1) != rows.get(2), "{order:?}");
        let Some(order) = order else { continue };
        let sorts = (0..7).all(|a| rows.get(a) == rows.get(a + 1) || (rows.get(a) < rows.get(a + 1)) != order.descending);
        assert!(sorts, "{order:?}");
    }
}

#[test]
fn single_values_are_encoded_as_columns_are() {
    let ints = [None, Some(i64::MIN), Some(-1), Some(0), Some(77), Some(i64::MAX)];
    let floats = [None, Some(-1.5), Some(-0.0), Some(0.0), Some(1e300), Some(f64::NAN)];
    let decimals = [None, Some(-12_345_678_901_234_567_890_123), Some(-1), Some(0), Some(42), Some(99_999)];
    let codec = |t| Codec::new(vec![Encoding::compact(t)]).unwrap();
    let int_rows = codec(DataType::Int64).encode(&[Arc::new(Int64Array::from_iter(ints))]).unwrap();
    let float_rows = codec(DataType::Float64).encode(&[Arc::new(Float64Array::from_iter(floats))]).unwrap();
    let column = Decimal128Array::from_iter(decimals).with_precision_and_scale(30, 2).unwrap();
    let decimal_rows = codec(DataType::Decimal128(30, 2)).encode(&[Arc::new(column)]).unwrap();
    for i in 0..6 {
        let mut bytes = vec![];
        value::int64(&mut bytes, ints[i]);
        assert_eq!(bytes, int_rows.get(i));
        bytes.clear();
        value::float64(&mut bytes, floats[i]);
        assert_eq!(bytes, float_rows.get(i));
        bytes.clear();
        value::decimal128(&mut bytes, decimals[i]);
        assert_eq!(bytes, decimal_rows.get(i));
    }
}

#[test]
fn a_damaged_row_is_an_error() {
    let columns = columns();
    for order in [None, Some(SortOptions::default())] {
        let codec = Codec::new(columns.iter().map(|c| Encoding { data_type: c.data_type().clone(), order }).collect()).unwrap();
        let rows = codec.encode(&columns).unwrap();
        let row = rows.get(3);
        for length in 0..row.len() {
            assert!(codec.decode(std::iter::once(&row[..length])).is_err(), "{length} of {}", row.len());
        }
    }
}
