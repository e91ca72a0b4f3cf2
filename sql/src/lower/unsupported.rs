/// Something that cannot be maintained: what it is, the way out, and the word in the statement that stands for it.
#[derive(Debug)]
pub(crate) struct Unsupported {
    pub message: String,
    pub help: String,
    pub word: Option<String>,
}

impl Unsupported {
    pub fn new(message: impl Into<String>) -> Self {
        Unsupported { message: message.into(), help: String::new(), word: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// One more way out.
    pub fn and_help(mut self, help: &str) -> Self {
        self.help = format!("{}; {help}", self.help);
        self
    }

    pub fn at(mut self, word: impl Into<String>) -> Self {
        self.word = Some(word.into());
        self
    }
}
