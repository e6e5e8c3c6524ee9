//! Lines of TEXT that contain several properties. Each function reads what one of explain.c's
//! `show_…_info` prints, and returns none for anything else.

use serde_json::{Map, Value};

use super::identifier::split_list;
use crate::plan::read::number::number;

type PropertyMap = Map<String, Value>;

fn put_number(properties: &mut PropertyMap, property: &str, digits: &str) -> Option<()> {
    properties.insert(property.to_owned(), number(digits)?);
    Some(())
}

fn put_text(properties: &mut PropertyMap, property: &str, text: &str) {
    properties.insert(property.to_owned(), Value::String(text.to_owned()));
}

/// `25kB`
fn put_kilobytes(properties: &mut PropertyMap, property: &str, text: &str) -> Option<()> {
    put_number(properties, property, text.strip_suffix("kB")?)
}

/// `Label: value  Label: value`, without the first label.
fn parts<'a>(first: &'a str, value: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let (own, rest) = value.split_once("  ").unwrap_or((value, ""));
    let others = rest
        .split("  ")
        .filter_map(|part| part.trim().split_once(": "));
    std::iter::once((first, own.trim())).chain(others)
}

/// `shared hit=1 read=2, temp read=3 written=4` → `Shared Hit Blocks`, …
pub(super) fn buffers(value: &str, properties: &mut PropertyMap) -> Option<()> {
    for group in value.split(", ") {
        let (kind, counts) = group.split_once(' ')?;
        for count in counts.split(' ') {
            let (what, digits) = count.split_once('=')?;
            put_number(
                properties,
                &format!("{} {} Blocks", capital(kind)?, capital(what)?),
                digits,
            )?;
        }
    }
    Some(())
}

/// `shared read=0.1 write=0.2, temp read=0.3`; before 15 without a kind; in 15 and 16
/// `shared/local`, which JSON has no kind for.
pub(super) fn io_timings(value: &str, properties: &mut PropertyMap) -> Option<()> {
    for group in value.split(", ") {
        let mut kind = "";
        for word in group.split(' ') {
            match word.split_once('=') {
                Some((what, digits)) => {
                    put_number(
                        properties,
                        &format!("{kind}I/O {} Time", capital(what)?),
                        digits,
                    )?;
                }
                None => {
                    kind = match word {
                        "shared/local" => "",
                        "shared" => "Shared ",
                        "local" => "Local ",
                        "temp" => "Temp ",
                        _ => return None,
                    };
                }
            }
        }
    }
    Some(())
}

/// `records=1 fpi=2 bytes=3 buffers full=4`
pub(super) fn wal(value: &str, properties: &mut PropertyMap) -> Option<()> {
    for count in value.split(' ').filter(|word| *word != "buffers") {
        let (what, digits) = count.split_once('=')?;
        let property = match what {
            "records" => "WAL Records",
            "fpi" => "WAL FPI",
            "bytes" => "WAL Bytes",
            "full" => "WAL Buffers Full",
            _ => return None,
        };
        put_number(properties, property, digits)?;
    }
    Some(())
}

/// `exact=1 lossy=2`
pub(super) fn heap_blocks(value: &str, properties: &mut PropertyMap) -> Option<()> {
    value.split(' ').try_for_each(|count| {
        let (what, digits) = count.split_once('=')?;
        put_number(
            properties,
            &format!("{} Heap Blocks", capital(what)?),
            digits,
        )
    })
}

/// `inserted=1 updated=2 deleted=3 skipped=4`
pub(super) fn tuples(value: &str, properties: &mut PropertyMap) -> Option<()> {
    value.split(' ').try_for_each(|count| {
        let (what, digits) = count.split_once('=')?;
        put_number(properties, &format!("Tuples {}", capital(what)?), digits)
    })
}

/// `used=8kB  allocated=16kB`
pub(super) fn memory(value: &str, properties: &mut PropertyMap) -> Option<()> {
    value.split_ascii_whitespace().try_for_each(|amount| {
        let (what, size) = amount.split_once('=')?;
        put_kilobytes(properties, &format!("Memory {}", capital(what)?), size)
    })
}

/// `quicksort  Memory: 25kB`
pub(super) fn sort_method(value: &str, properties: &mut PropertyMap) -> Option<()> {
    let (method, space) = value.rsplit_once("  ").unwrap_or((value, ""));
    put_text(properties, "Sort Method", method);
    if let Some((kind, size)) = space.split_once(": ") {
        put_kilobytes(properties, "Sort Space Used", size)?;
        put_text(properties, "Sort Space Type", kind);
    }
    Some(())
}

/// `1024 (originally 2048)  Batches: 4 (originally 1)  Memory Usage: 9kB`
pub(super) fn buckets(value: &str, properties: &mut PropertyMap) -> Option<()> {
    for (label, value) in parts("Buckets", value) {
        let (now, originally) = match value.split_once(" (originally ") {
            Some((now, rest)) => (now, Some(rest.strip_suffix(')')?)),
            None => (value, None),
        };
        match label {
            "Buckets" | "Batches" => {
                put_number(properties, &format!("Hash {label}"), now)?;
                if let Some(originally) = originally {
                    put_number(properties, &format!("Original Hash {label}"), originally)?;
                }
            }
            "Memory Usage" => put_kilobytes(properties, "Peak Memory Usage", value)?,
            _ => return None,
        }
    }
    Some(())
}

/// `1  Memory Usage: 24kB  Disk Usage: 80kB`
pub(super) fn hash_aggregate_batches(value: &str, properties: &mut PropertyMap) -> Option<()> {
    hash_aggregate(parts("Batches", value), properties)
}

/// `4  Batches: 5  Memory Usage: 24kB  Disk Usage: 80kB`
pub(super) fn planned_partitions(value: &str, properties: &mut PropertyMap) -> Option<()> {
    hash_aggregate(parts("Planned Partitions", value), properties)
}

fn hash_aggregate<'a>(
    mut parts: impl Iterator<Item = (&'a str, &'a str)>,
    properties: &mut PropertyMap,
) -> Option<()> {
    parts.try_for_each(|(label, value)| match label {
        "Planned Partitions" => put_number(properties, label, value),
        "Batches" => put_number(properties, "HashAgg Batches", value),
        // 13 called it "Peak Memory Usage".
        "Memory Usage" | "Peak Memory Usage" => {
            put_kilobytes(properties, "Peak Memory Usage", value)
        }
        "Disk Usage" => put_kilobytes(properties, label, value),
        _ => None,
    })
}

/// `1  Misses: 2  Evictions: 3  Overflows: 4  Memory Usage: 5kB`
pub(super) fn memoize(value: &str, properties: &mut PropertyMap) -> Option<()> {
    parts("Hits", value).try_for_each(|(label, value)| match label {
        "Memory Usage" => put_kilobytes(properties, "Peak Memory Usage", value),
        _ => put_number(properties, &format!("Cache {label}"), value),
    })
}

/// `capacity=10 distinct keys=10 lookups=100 hit percent=90.00%`, of versions after 18.
pub(super) fn memoize_estimates(value: &str, properties: &mut PropertyMap) -> Option<()> {
    put_text(properties, "Estimates", value);
    Some(())
}

/// `Memory  Maximum Storage: 17kB`
pub(super) fn storage(value: &str, properties: &mut PropertyMap) -> Option<()> {
    parts("Storage", value).try_for_each(|(label, value)| match label {
        "Storage" => {
            put_text(properties, label, value);
            Some(())
        }
        "Maximum Storage" => put_kilobytes(properties, label, value),
        _ => None,
    })
}

pub(super) fn full_sort_groups(value: &str, properties: &mut PropertyMap) -> Option<()> {
    // 13 put both kinds of groups on one line.
    let (full, presorted) = match value
        .split_once("  Pre-sorted Groups: ")
        .or_else(|| value.split_once("  Presorted Groups: "))
    {
        Some((full, presorted)) => (full, Some(presorted)),
        None => (value, None),
    };
    if let Some(presorted) = presorted {
        presorted_groups(presorted, properties)?;
    }
    properties.insert(
        "Full-sort Groups".to_owned(),
        Value::Object(sort_groups(full)?),
    );
    Some(())
}

pub(super) fn presorted_groups(value: &str, properties: &mut PropertyMap) -> Option<()> {
    properties.insert(
        "Pre-sorted Groups".to_owned(),
        Value::Object(sort_groups(value)?),
    );
    Some(())
}

/// `8  Sort Methods: quicksort, top-N heapsort  Average Memory: 28kB  Peak Memory: 28kB`
fn sort_groups(value: &str) -> Option<PropertyMap> {
    let mut groups = PropertyMap::new();
    for (label, value) in parts("Group Count", value) {
        match label {
            "Group Count" => put_number(&mut groups, label, value)?,
            "Sort Method" | "Sort Methods" => {
                let methods = value
                    .split(", ")
                    .map(|method| Value::String(method.to_owned()))
                    .collect();
                groups.insert("Sort Methods Used".to_owned(), Value::Array(methods));
            }
            _ => {
                let (measure, kind) = label.split_once(' ')?;
                let space = groups
                    .entry(format!("Sort Space {kind}"))
                    .or_insert_with(|| Value::Object(Map::new()));
                put_kilobytes(
                    space.as_object_mut()?,
                    &format!("{measure} Sort Space Used"),
                    value,
                )?;
            }
        }
    }
    Some(groups)
}

/// `bernoulli ('5'::real) REPEATABLE ('7'::double precision)`
pub(super) fn sampling(value: &str, properties: &mut PropertyMap) -> Option<()> {
    let (method, rest) = value.split_once(" (")?;
    let (parameters, seed) = match rest.rsplit_once(") REPEATABLE (") {
        Some((parameters, seed)) => (parameters, Some(seed.strip_suffix(')')?)),
        None => (rest.strip_suffix(')')?, None),
    };
    put_text(properties, "Sampling Method", method);
    let parameters = split_list(parameters)
        .into_iter()
        .map(Value::String)
        .collect();
    properties.insert("Sampling Parameters".to_owned(), Value::Array(parameters));
    if let Some(seed) = seed {
        put_text(properties, "Repeatable Seed", seed);
    }
    Some(())
}

/// `Inlining false, Optimization false, Expressions true, Deforming true`
pub(super) fn jit_options(value: &str, properties: &mut PropertyMap) -> Option<()> {
    let mut options = PropertyMap::new();
    for option in value.split(", ") {
        let (name, flag) = option.split_once(' ')?;
        options.insert(name.to_owned(), Value::Bool(flag == "true"));
    }
    properties.insert("Options".to_owned(), Value::Object(options));
    Some(())
}

/// `Generation 0.5 ms (Deform 0.1 ms), Inlining 0.0 ms, …, Total 2.0 ms`; before 17 without
/// `Deform`, and JSON had a number there.
pub(super) fn jit_timing(value: &str, properties: &mut PropertyMap) -> Option<()> {
    let mut timing = PropertyMap::new();
    for part in value.split(", ") {
        let (whole, deform) = match part.split_once(" (Deform ") {
            Some((whole, deform)) => (whole, Some(deform.strip_suffix(')')?)),
            None => (part, None),
        };
        let (name, time) = whole.split_once(' ')?;
        let time = number(time.strip_suffix(" ms")?)?;
        let time = match deform {
            None => time,
            Some(deform) => {
                let deform = number(deform.strip_suffix(" ms")?)?;
                Value::Object(Map::from_iter([
                    ("Deform".to_owned(), deform),
                    ("Total".to_owned(), time),
                ]))
            }
        };
        timing.insert(name.to_owned(), time);
    }
    properties.insert("Timing".to_owned(), Value::Object(timing));
    Some(())
}

/// `hit` → `Hit`
fn capital(word: &str) -> Option<String> {
    let first = word.chars().next().filter(char::is_ascii_lowercase)?;
    Some(format!("{}{}", first.to_ascii_uppercase(), word.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    type ValueReader = fn(&str, &mut PropertyMap) -> Option<()>;

    fn read(reading: ValueReader, value: &str) -> Option<Value> {
        let mut properties = PropertyMap::new();
        reading(value, &mut properties)?;
        Some(Value::Object(properties))
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn packed_lines_are_unpacked() {
        let cases: &[(ValueReader, &str, Value)] = &[
            (
                buffers,
                "shared hit=1 dirtied=2, temp written=3",
                json!({"Shared Hit Blocks": 1, "Shared Dirtied Blocks": 2, "Temp Written Blocks": 3}),
            ),
            (io_timings, "read=0.5", json!({"I/O Read Time": 0.5})),
            (
                io_timings,
                "shared/local read=0.5, temp write=1.5",
                json!({"I/O Read Time": 0.5, "Temp I/O Write Time": 1.5}),
            ),
            (
                io_timings,
                "shared read=0.5 write=1.5, local read=2.5",
                json!({"Shared I/O Read Time": 0.5, "Shared I/O Write Time": 1.5, "Local I/O Read Time": 2.5}),
            ),
            (
                wal,
                "records=1 fpi=2 bytes=3 buffers full=4",
                json!({"WAL Records": 1, "WAL FPI": 2, "WAL Bytes": 3, "WAL Buffers Full": 4}),
            ),
            (
                heap_blocks,
                "exact=1 lossy=2",
                json!({"Exact Heap Blocks": 1, "Lossy Heap Blocks": 2}),
            ),
            (
                memory,
                "used=8kB  allocated=16kB",
                json!({"Memory Used": 8, "Memory Allocated": 16}),
            ),
            (
                sort_method,
                "external merge  Disk: 25kB",
                json!({"Sort Method": "external merge", "Sort Space Used": 25, "Sort Space Type": "Disk"}),
            ),
            (
                buckets,
                "1024 (originally 2048)  Batches: 4 (originally 1)  Memory Usage: 9kB",
                json!({"Hash Buckets": 1024, "Original Hash Buckets": 2048, "Hash Batches": 4, "Original Hash Batches": 1, "Peak Memory Usage": 9}),
            ),
            (
                planned_partitions,
                "4  Batches: 5  Memory Usage: 24kB  Disk Usage: 80kB",
                json!({"Planned Partitions": 4, "HashAgg Batches": 5, "Peak Memory Usage": 24, "Disk Usage": 80}),
            ),
            (
                memoize,
                "1  Misses: 2  Evictions: 3  Overflows: 4  Memory Usage: 5kB",
                json!({"Cache Hits": 1, "Cache Misses": 2, "Cache Evictions": 3, "Cache Overflows": 4, "Peak Memory Usage": 5}),
            ),
            (
                full_sort_groups,
                "8  Sort Methods: quicksort, top-N heapsort  Average Memory: 28kB  Peak Memory: 30kB",
                json!({"Full-sort Groups": {"Group Count": 8, "Sort Methods Used": ["quicksort", "top-N heapsort"],
                    "Sort Space Memory": {"Average Sort Space Used": 28, "Peak Sort Space Used": 30}}}),
            ),
            (
                sampling,
                "bernoulli ('5'::real) REPEATABLE ('7'::double precision)",
                json!({"Sampling Method": "bernoulli", "Sampling Parameters": ["'5'::real"], "Repeatable Seed": "'7'::double precision"}),
            ),
            (
                jit_timing,
                "Generation 0.5 ms (Deform 0.25 ms), Total 2.5 ms",
                json!({"Timing": {"Generation": {"Deform": 0.25, "Total": 0.5}, "Total": 2.5}}),
            ),
        ];
        for (reading, value, expected) in cases {
            assert_eq!(read(*reading, value).as_ref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn damaged_ones_are_refused() {
        assert_eq!(read(buffers, "shared hit="), None);
        assert_eq!(read(buffers, "shared"), None);
        assert_eq!(read(heap_blocks, "exact"), None);
        assert_eq!(read(memory, "used=8"), None);
        assert_eq!(read(sampling, "x"), None);
    }
}
