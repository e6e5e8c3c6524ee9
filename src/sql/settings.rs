//! Settings that SQL reads: an application's own, which say who asks.

use std::sync::LazyLock;

use regex::Regex;

static SETTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)current_setting\s*\(\s*'([a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)+)'").ok()
});

/// The key of a JSON object that is read somewhere behind the setting.
static JSON_KEY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)::\s*jsonb?[\s)]*->>?\s*'([^']+)'").ok());

/// A setting that SQL reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRead {
    /// Its name: `app.tenant`.
    pub name: String,
    /// It is a JSON object, and this is the key that is read.
    pub json_key: Option<String>,
}

/// The first setting with a name of two parts that the text reads with `current_setting`.
pub fn setting_read(text: &str) -> Option<SettingRead> {
    let setting = SETTING.as_ref()?;
    let found = setting.captures(text)?;
    let behind = text.get(found.get(0)?.end()..)?;
    // Up to the next setting: in `coalesce(current_setting('a'), current_setting('b')::json ->> 'c')`
    // the first one is no JSON.
    let end = setting
        .find(behind)
        .map_or(behind.len(), |next| next.start());
    let key = JSON_KEY.as_ref()?.captures(behind.get(..end)?);
    Some(SettingRead {
        name: found.get(1)?.as_str().to_owned(),
        json_key: key.and_then(|key| Some(key.get(1)?.as_str().to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Option<String>)> {
        setting_read(text).map(|read| (read.name, read.json_key))
    }

    #[test]
    fn a_setting_is_text_or_a_json_object() {
        let name = |name: &str| name.to_owned();
        assert_eq!(
            read("select nullif(current_setting('app.user', true), '')::int"),
            Some((name("app.user"), None))
        );
        assert_eq!(
            read("((current_setting('jwt.claims'::text, true))::json ->> 'sub'::text)"),
            Some((name("jwt.claims"), Some(name("sub"))))
        );
        let either = "coalesce(current_setting('jwt.claim.sub', true), \
                      current_setting('jwt.claims', true)::jsonb ->> 'sub')";
        assert_eq!(read(either), Some((name("jwt.claim.sub"), None)));
        assert_eq!(read("current_setting('work_mem')"), None);
    }
}
