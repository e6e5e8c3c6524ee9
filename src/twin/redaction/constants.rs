//! Constants in stored expressions (`pg_node_tree`): predicates of indexes, CHECK constraints,
//! bounds of partitions, views.

use crate::twin::scalar::{Position, Scale};
use crate::twin::snapshot::Oid;

/// Microseconds and days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
const EPOCH_DAYS: i128 = 10_957;
const EPOCH_MICROSECONDS: i128 = EPOCH_DAYS * 86_400_000_000;

/// The type and the text of every constant whose bytes can be decoded. A byte is written as a
/// signed number (`outDatum`, src/backend/nodes/outfuncs.c). The server's machine is assumed to be
/// little-endian.
pub(super) fn constants(tree: &str) -> Vec<(Oid, String)> {
    let each = tree.split("{CONST ").skip(1);
    each.filter_map(|constant| {
        let field = |name: &str| constant.split_once(name).map(|(_, rest)| rest);
        let type_oid: Oid = field(":consttype ")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()?;
        let value = field(":constvalue ")?;
        // NULL is written `<>`.
        let (length, bytes) = value.split_once(" [ ")?;
        let _: usize = length.parse().ok()?;
        let bytes = bytes.split_once(']')?.0.split_whitespace();
        let bytes: Vec<u8> = bytes
            .map(|byte| byte.parse::<i16>().ok().map(|byte| byte as u8))
            .collect::<Option<_>>()?;
        Some((type_oid, text(type_oid, &bytes)?))
    })
    .collect()
}

fn text(type_oid: Oid, bytes: &[u8]) -> Option<String> {
    let word = bytes.first_chunk().copied().map(i64::from_le_bytes);
    Some(match (type_oid, Scale::of(type_oid)) {
        (25 | 1042 | 1043 | 114 | 3802, _) => String::from_utf8(variable(bytes)?.to_vec()).ok()?,
        (2950, _) => super::uuid::write(u128::from_be_bytes(*bytes.first_chunk()?)),
        (21, _) => (word? as i16).to_string(),
        (23, _) => (word? as i32).to_string(),
        (20, _) => word?.to_string(),
        (700, _) => f32::from_bits(word? as u32).to_string(),
        (701, _) => f64::from_bits(word? as u64).to_string(),
        (1700, _) => numeric(variable(bytes)?)?,
        (_, Some(line @ Scale::Date)) => {
            line.write(Position::Whole(i128::from(word? as i32) + EPOCH_DAYS))
        }
        (_, Some(line @ Scale::Timestamp(_))) => {
            line.write(Position::Whole(i128::from(word?) + EPOCH_MICROSECONDS))
        }
        _ => return None,
    })
}

/// The bytes after a length header of four bytes or one (src/include/varatt.h).
fn variable(bytes: &[u8]) -> Option<&[u8]> {
    match bytes.first()? & 1 {
        1 => bytes.get(1..),
        _ => bytes.get(4..),
    }
}

/// `NumericShort` (src/backend/utils/adt/numeric.c): sign, digits after the point, weight; then
/// digits of base 10 000.
fn numeric(bytes: &[u8]) -> Option<String> {
    let header = u16::from_le_bytes(*bytes.first_chunk()?);
    if header & 0xC000 != 0x8000 {
        return None;
    }
    let scale = usize::from(header >> 7 & 0x3F);
    let weight = i32::from(header & 0x3F) - if header & 0x40 != 0 { 0x40 } else { 0 };
    let digits = bytes
        .get(2..)?
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
    let value: f64 = digits
        .zip(0..)
        .map(|(digit, at)| f64::from(digit) * 10_000f64.powi(weight - at))
        .sum();
    let sign = if header & 0x2000 != 0 { "-" } else { "" };
    Some(format!("{sign}{value:.scale$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_found_in_trees() {
        let constant = |type_oid: u32, bytes: &str| {
            format!(
                "{{OPEXPR :args ({{VAR :varno 1}} {{CONST :consttype {type_oid} :constlen 4 :constisnull false :location 9 :constvalue 4 [ {bytes} ]}})}}"
            )
        };
        let read = |type_oid, bytes: &str| constants(&constant(type_oid, bytes));
        assert_eq!(read(25, "24 0 0 0 -61 -68"), [(25, "ü".to_owned())]);
        assert_eq!(read(23, "-5 -1 -1 -1 -1 -1 -1 -1"), [(23, "-5".to_owned())]);
        assert_eq!(
            read(1082, "0 0 0 0 0 0 0 0"),
            [(1082, "2000-01-01".to_owned())]
        );
        assert_eq!(
            read(1184, "64 66 15 0 0 0 0 0"),
            [(1184, "2000-01-01 00:00:01+00".to_owned())]
        );
        // 1234.50: one digit after the first, two after the point.
        assert_eq!(
            read(1700, "40 0 0 0 0 -127 -46 4 -120 19"),
            [(1700, "1234.50".to_owned())]
        );
        assert_eq!(read(9999, "1 2 3"), []);
        assert_eq!(
            constants("{CONST :consttype 25 :constisnull true :constvalue <>}"),
            []
        );
    }
}
