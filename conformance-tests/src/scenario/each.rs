//! One step written, several meant: `each` and `at_once`.

use super::Step;

/// `at_once = ["a", "b"]`: as `each`, but all are sent at the same time.
pub fn at_once(mut table: toml::Table, values: toml::Value) -> anyhow::Result<Step> {
    let name = table.get("name").cloned();
    table.insert("each".into(), values);
    let steps: Result<Vec<Step>, _> = expand(table)?.into_iter().map(toml::Table::try_into).collect();
    let mut steps = steps?.into_iter();
    let mut first = steps.next().ok_or_else(|| anyhow::anyhow!("`at_once` has no values"))?;
    if let Some(name) = name.as_ref().and_then(toml::Value::as_str) {
        first.name = name.to_owned();
    }
    first.beside = steps.collect();
    Ok(first)
}

/// `each = ["a", "b"]`: the step once with `{{each}}` = a, once with b. `each = [{x = "1"}]`: `{{each.x}}` = 1.
pub fn expand(mut step: toml::Table) -> anyhow::Result<Vec<toml::Table>> {
    let values = match step.remove("each") {
        None => return Ok(vec![step]),
        Some(toml::Value::Array(values)) => values,
        Some(other) => anyhow::bail!("`each` is a list, not {other}"),
    };
    values
        .iter()
        .map(|value| {
            let mut words = Vec::new();
            match value {
                toml::Value::Table(table) => {
                    for (key, value) in table {
                        let text =
                            value.as_str().ok_or_else(|| anyhow::anyhow!("`each.{key}` is not a text"))?;
                        words.push((format!("{{{{each.{key}}}}}"), text));
                    }
                }
                toml::Value::String(text) => words.push(("{{each}}".to_owned(), text)),
                other => anyhow::bail!("`each` holds {other}: texts or tables are expected"),
            }
            Ok(replace_in_table(&step, &words))
        })
        .collect()
}

fn replace_in_table(table: &toml::Table, words: &[(String, &str)]) -> toml::Table {
    table.iter().map(|(key, value)| (replace_in_text(key, words), replace(value, words))).collect()
}

fn replace(value: &toml::Value, words: &[(String, &str)]) -> toml::Value {
    match value {
        toml::Value::String(text) => replace_in_text(text, words).into(),
        toml::Value::Array(values) => {
            values.iter().map(|value| replace(value, words)).collect::<Vec<_>>().into()
        }
        toml::Value::Table(table) => replace_in_table(table, words).into(),
        other => other.clone(),
    }
}

fn replace_in_text(text: &str, words: &[(String, &str)]) -> String {
    words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word.as_str(), value))
}
