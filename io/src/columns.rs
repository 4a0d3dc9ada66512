//! Which columns of a table are what.

/// Finds the columns that `--columns` names: each is a column, or `p0..p26` for 27 of them. Their order is that of the
/// categories.
pub(crate) fn find(asked: &[String], names: &[String]) -> Result<Vec<usize>, String> {
    let mut found = Vec::new();
    for name in asked {
        if let Ok(column) = one("--columns", name, names) {
            found.push(column);
            continue;
        }
        let Some((prefix, from, to)) = range(name) else {
            found.push(one("--columns", name, names)?);
            continue;
        };
        if (to - from) >= names.len() as u64 {
            return Err(format!(
                "--columns {name} is more than the {} columns that it has",
                names.len()
            ));
        }
        for number in from..=to {
            found.push(one("--columns", &format!("{prefix}{number}"), names)?);
        }
    }
    let mut sorted = found.clone();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("--columns names the column '{}' twice", names[pair[0]])),
        None => Ok(found),
    }
}

/// Finds a column by its name.
pub(crate) fn one(option: &str, name: &str, names: &[String]) -> Result<usize, String> {
    let mut with_name = names.iter().enumerate().filter(|(_, other)| *other == name);
    match (with_name.next(), with_name.next()) {
        (Some((column, _)), None) => Ok(column),
        (Some(_), Some(_)) => {
            Err(format!("it has several columns '{name}', so {option} cannot name one"))
        }
        (None, _) => {
            Err(format!("{option} names '{name}', and its columns are: {}", listed(names)))
        }
    }
}

/// The first names of many.
pub(crate) fn listed(names: &[String]) -> String {
    let few = names.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(12) {
        Some(more @ 1..) => format!("{few} and {more} more"),
        _ => few,
    }
}

/// Takes `p0..p26` apart.
fn range(text: &str) -> Option<(&str, u64, u64)> {
    let (from, to) = text.split_once("..")?;
    let (prefix, from) = from.split_at(from.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    let to = to.strip_prefix(prefix).unwrap_or(to);
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from <= to).then_some((prefix, from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_names() {
        let names: Vec<String> =
            ["id", "p0", "p1", "p2", "a..b", "x", "x"].map(str::to_owned).to_vec();
        let of = |asked: &[&str]| {
            find(&asked.iter().map(|&name| name.to_owned()).collect::<Vec<_>>(), &names)
        };
        assert_eq!(of(&["p0..p2"]), Ok(vec![1, 2, 3]));
        assert_eq!(of(&["p1..2", "id"]), Ok(vec![2, 3, 0]));
        assert_eq!(of(&["a..b"]), Ok(vec![4]));
        for asked in [
            &["p3"][..],
            &["p1..p4"],
            &["p2..p1"],
            &["x"],
            &["p1", "p0..p2"],
            &["p0..p99999999999"],
        ] {
            assert!(of(asked).is_err(), "{asked:?}");
        }
    }
}
