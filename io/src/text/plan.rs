//! What the columns of a text are.

use super::fields::Fields;
use super::number::{Number, is_number};
use crate::columns::{find, one};
use crate::{Header, Request};

/// What a field is for.
#[derive(Clone, Copy, Debug, Default)]
struct Role {
    category: Option<usize>,
    is_id: bool,
}

/// What the columns of a text are.
pub(crate) struct Plan {
    fields: Fields,
    names: Vec<String>,
    roles: Vec<Role>,
    /// Whether the fields of a line are its categories, in order.
    plain: bool,
    keep: Vec<usize>,
    pub(crate) categories: usize,
}

impl Plan {
    /// The plan of a text whose first line is this. Returns it, and whether the first line has names.
    pub(crate) fn new(
        first: &[u8],
        fields: Fields,
        request: &Request,
    ) -> Result<(Self, bool), String> {
        let texts = fields.texts(first);
        let has_names = match request.header {
            Header::Yes => true,
            Header::No => false,
            Header::Auto => names_or_numbers(&texts)?,
        };
        let numbered = |count| (0..count).map(|column: usize| column.to_string()).collect();
        let names: Vec<String> = if has_names { texts } else { numbered(texts.len()) };
        let row_id =
            request.row_id.as_deref().map(|name| one("--row-id", name, &names)).transpose()?;
        let keep: Vec<usize> = request
            .keep
            .iter()
            .map(|name| one("--keep", name, &names))
            .collect::<Result<_, _>>()?;
        let chosen = if request.columns.is_empty() {
            let rest =
                (0..names.len()).filter(|column| Some(*column) != row_id && !keep.contains(column));
            let rest: Vec<usize> = rest.collect();
            if has_names && rest.first() == Some(&0) && names[0].is_empty() {
                return Err("its first column has no name, as pandas writes its index: to_csv(index=False) writes \
                            none, and --columns says which columns are drawn from"
                    .to_owned());
            }
            rest
        } else {
            find(&request.columns, &names)?
        };
        if chosen.is_empty() {
            return Err("it has no column to draw from".to_owned());
        }
        let mut roles = vec![Role::default(); names.len()];
        for (category, &column) in chosen.iter().enumerate() {
            roles[column].category = Some(category);
        }
        if let Some(column) = row_id {
            roles[column].is_id = true;
        }
        let in_order = chosen.iter().enumerate().all(|(category, &column)| category == column);
        let plain = in_order && chosen.len() == names.len() && row_id.is_none();
        let categories = chosen.len();
        Ok((Self { fields, names, roles, plain, keep, categories }, has_names))
    }

    /// Reads the numbers of a line into as many places as there are categories.
    pub(crate) fn numbers<T: Number>(&self, line: &[u8], out: &mut [T]) -> Result<(), String> {
        let mut read = |column: usize, field: &[u8]| -> Result<(), String> {
            let category = if self.plain {
                Some(column)
            } else {
                self.roles.get(column).and_then(|role| role.category)
            };
            let Some(place) = category.and_then(|category| out.get_mut(category)) else {
                return Ok(());
            };
            let number = std::str::from_utf8(field).ok().and_then(T::of);
            *place = number.ok_or_else(|| self.no_number(column, field))?;
            Ok(())
        };
        let count = self.fields.each(line, &mut read)?;
        if count != self.names.len() {
            return Err(format!(
                "it has {count} fields, and the first line has {}",
                self.names.len()
            ));
        }
        Ok(())
    }

    fn no_number(&self, column: usize, field: &[u8]) -> String {
        let name = short(self.names.get(column).map_or("", String::as_str));
        if field.is_empty() {
            return format!("column '{name}' is empty");
        }
        format!(
            "column '{name}' has '{}', which is no number",
            short(&String::from_utf8_lossy(field))
        )
    }

    pub(crate) fn has_id(&self) -> bool {
        self.roles.iter().any(|role| role.is_id)
    }

    /// The id of a line.
    pub(crate) fn id(&self, line: &[u8]) -> Result<u64, String> {
        let mut id = Err("it has no id".to_owned());
        self.fields.each(line, |column, field| {
            if self.roles.get(column).is_some_and(|role| role.is_id) {
                let text = String::from_utf8_lossy(field);
                id = text.parse().map_err(|_| {
                    let (name, text) = (short(&self.names[column]), short(&text));
                    format!(
                        "column '{name}' has '{text}', and a row's id is an integer of 0 or more"
                    )
                });
            }
            Ok::<(), String>(())
        })?;
        id
    }

    /// The text of a column that is kept.
    pub(crate) fn kept(&self, line: &[u8], which: usize) -> String {
        self.fields.texts(line).swap_remove(self.keep[which])
    }
}

/// A text as an error says it.
fn short(text: &str) -> String {
    text.chars().take(40).collect::<String>().escape_debug().to_string()
}

/// Whether the first line has names. Fails if that cannot be told.
fn names_or_numbers(texts: &[String]) -> Result<bool, String> {
    if texts.iter().any(|text| !is_number(text)) {
        return Ok(true);
    }
    let counts_up = (0..).zip(texts).all(|(i, text): (usize, _)| *text == i.to_string());
    if texts.len() > 1 && counts_up {
        return Err("its first line is 0, 1, 2 and so on: numbers, or names of columns as pandas writes them? \
                    --header yes or --header no says so"
            .to_owned());
    }
    Ok(false)
}
