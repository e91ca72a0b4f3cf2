//! What a token brings about.

/// Of a payment, by its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Authorised,
    Declined,
    /// Authorised a moment later; the shop is told.
    Pending,
    PendingDeclined,
    /// Authorised, but the first answer comes too late for anybody to wait for it.
    Slow,
    /// Authorised, but there is no money when it is captured.
    CaptureDeclined,
    /// Authorised; the shop is told everything three times, the last time late.
    Repeated,
}

impl Behaviour {
    /// Every token that the provider knows.
    pub const TOKENS: [(&'static str, Self); 7] = [
        ("tok_visa", Self::Authorised),
        ("tok_declined", Self::Declined),
        ("tok_pending", Self::Pending),
        ("tok_pending_declined", Self::PendingDeclined),
        ("tok_slow", Self::Slow),
        ("tok_capture_declined", Self::CaptureDeclined),
        ("tok_repeated", Self::Repeated),
    ];

    pub fn of(token: &str) -> Option<Self> {
        Self::TOKENS.iter().find(|(name, _)| *name == token).map(|(_, behaviour)| *behaviour)
    }
}
