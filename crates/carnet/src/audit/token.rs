//! Bearer tokens for the audit over HTTP: a file with one a line, which is read with each request, so that a token that was
//! taken out is void at once.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::sha::sha256;

use super::private;

/// Shorter ones can be guessed.
const SHORTEST: usize = 32;
const HEAD: &str = "\
# Tokens for the audit over HTTP: a token, its name in the traces, and \"read\" or \"write\" if it is for one of both only.
# To give somebody a token, add a line; to take it back, remove the line. `openssl rand -base64 32` makes a token.
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    Read,
    Write,
}

impl Right {
    pub fn name(self) -> &'static str {
        match self {
            Right::Read => "read",
            Right::Write => "write",
        }
    }

    fn named(word: &str) -> Option<Right> {
        [Right::Read, Right::Write].into_iter().find(|right| right.name() == word)
    }
}

/// What is known of a token beside its octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    digest: [u8; 32],
    pub name: String,
    /// The one right that it gives; without, it gives both.
    only: Option<Right>,
}

impl Token {
    pub fn gives(&self, right: Right) -> bool {
        self.only.is_none_or(|only| only == right)
    }
}

#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
}

impl Tokens {
    /// The file of tokens, made now with one token if there is none.
    pub fn open(path: &Path) -> anyhow::Result<Tokens> {
        if !path.try_exists().with_context(|| cannot("read", path))? {
            let mut octets = [0; 32];
            openssl::rand::rand_bytes(&mut octets)?;
            let text = format!("{HEAD}{} first\n", URL_SAFE_NO_PAD.encode(octets));
            private::create(path, text.as_bytes()).with_context(|| cannot("made", path))?;
        }
        read(path)?;
        Ok(Tokens { path: path.to_owned() })
    }

    /// The token that somebody shows, if it is one. How long that takes says nothing of those in the file.
    pub fn find(&self, shown: &str) -> anyhow::Result<Option<Token>> {
        let digest = sha256(shown.as_bytes());
        let mut found = None;
        for token in read(&self.path)? {
            if openssl::memcmp::eq(&token.digest, &digest) {
                found = Some(token);
            }
        }
        Ok(found)
    }
}

fn cannot(what: &str, path: &Path) -> String {
    format!("{}: the file of tokens for the audit cannot be {what}", path.display())
}

fn read(path: &Path) -> anyhow::Result<Vec<Token>> {
    if !private::is_private(path).with_context(|| cannot("read", path))? {
        bail!(
            "{}: the tokens for the audit can be read by others than their owner: chmod 600 {0}, and if others had access, \
             write new tokens",
            path.display()
        );
    }
    let text = fs::read_to_string(path).with_context(|| cannot("read", path))?;
    let lines = (1..).zip(text.lines().map(str::trim));
    let tokens = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut found: Vec<Token> = Vec::new();
    for (number, line) in tokens {
        let token = token(line).with_context(|| format!("{}, line {number}", path.display()))?;
        if found.iter().any(|other| other.digest == token.digest) {
            bail!("{}, line {number}: the token is there twice", path.display());
        }
        found.push(token);
    }
    Ok(found)
}

/// The errors never quote the line.
fn token(line: &str) -> anyhow::Result<Token> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (shown, name, only) = match words.as_slice() {
        [shown] => (shown, None, None),
        [shown, word] => match Right::named(word) {
            Some(right) => (shown, None, Some(right)),
            None => (shown, Some(*word), None),
        },
        [shown, name, word] => match Right::named(word) {
            Some(right) => (shown, Some(*name), Some(right)),
            None => bail!("the third word is neither \"read\" nor \"write\""),
        },
        _ => bail!("a line is a token, a name of one word, and \"read\" or \"write\""),
    };
    if shown.len() < SHORTEST {
        bail!("the token is shorter than {SHORTEST} characters");
    }
    let digest = sha256(shown.as_bytes());
    let name = name.map_or_else(|| anonymous(&digest), str::to_owned);
    Ok(Token { digest, name, only })
}

/// Tells tokens without names apart.
fn anonymous([a, b, c, d, ..]: &[u8; 32]) -> String {
    format!("token-{a:02x}{b:02x}{c:02x}{d:02x}")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const LONG: &str = "0123456789abcdefghijklmnopqrstuv";

    fn given(text: &str) -> (tempfile::TempDir, anyhow::Result<Tokens>) {
        let folder = test_support::folder();
        let path = folder.path().join("audit/token");
        private::create(&path, text.as_bytes()).unwrap();
        let tokens = Tokens::open(&path);
        (folder, tokens)
    }

    #[test]
    fn a_token_of_256_bits_is_made_once_for_the_owner_only() {
        let folder = test_support::folder();
        let path = folder.path().join("audit/token");
        let tokens = Tokens::open(&path).unwrap();
        assert!(private::is_private(&path).unwrap());
        let text = fs::read_to_string(&path).unwrap();
        let (shown, name) = text.lines().last().unwrap().split_once(' ').unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(shown).unwrap().len(), 32);
        let token = tokens.find(shown).unwrap().unwrap();
        assert_eq!((token.name.as_str(), name), ("first", "first"));
        assert!(token.gives(Right::Read) && token.gives(Right::Write));
        Tokens::open(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn tokens_have_names_and_may_give_one_right() {
        let (_folder, tokens) =
            given(&format!("# of all\n\n{LONG}0\n{LONG}1 anne\n  {LONG}2\twrite  \n{LONG}3 pacs read\n"));
        let tokens = tokens.unwrap();
        let find = |last: &str| tokens.find(&format!("{LONG}{last}")).unwrap();
        let told = |last: &str| {
            let token = find(last).unwrap();
            (token.gives(Right::Read), token.gives(Right::Write), token.name)
        };
        assert_eq!(told("1"), (true, true, "anne".to_owned()));
        assert_eq!(told("3"), (true, false, "pacs".to_owned()));
        assert_eq!((told("0").0, told("0").1, told("2").0, told("2").1), (true, true, false, true));
        assert!(told("0").2.starts_with("token-") && told("0").2 != told("2").2);
        assert_eq!((find(""), find("4"), tokens.find("").unwrap()), (None, None, None));
    }

    #[test]
    fn a_token_that_was_taken_out_is_void_at_once() {
        let (folder, tokens) = given(&format!("{LONG} anne\n{LONG}1 paul\n"));
        let tokens = tokens.unwrap();
        assert!(tokens.find(LONG).unwrap().is_some());
        fs::write(folder.path().join("audit/token"), format!("{LONG}1 paul\n{LONG}2 eve\n")).unwrap();
        assert!(tokens.find(LONG).unwrap().is_none());
        assert!(tokens.find(&format!("{LONG}2")).unwrap().is_some());
    }

    #[test]
    fn a_file_that_is_wrong_lets_nobody_in_and_is_told_without_its_tokens() {
        for (text, reason) in [
            ("secret".to_owned(), "line 1: the token is shorter than 32 characters"),
            (format!("\n{LONG} a b"), "line 2: the third word is neither"),
            (format!("{LONG} a read b"), "line 1: a line is"),
            (format!("{LONG} a\n{LONG} b"), "line 2: the token is there twice"),
        ] {
            let (_folder, tokens) = given(&text);
            let told = format!("{:#}", tokens.unwrap_err());
            assert!(told.contains(reason) && !told.contains("secret") && !told.contains(LONG), "{told}");
        }
    }

    #[test]
    fn tokens_that_others_can_read_are_refused() {
        let (folder, tokens) = given(LONG);
        let path = folder.path().join("audit/token");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(tokens.unwrap().find(LONG).unwrap_err().to_string().contains("chmod 600"));
        fs::remove_file(&path).unwrap();
        assert!(Tokens { path }.find(LONG).is_err());
    }
}
