//! A session with the server.

use std::sync::Arc;

use anyhow::{Context, bail};
use futures::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio_postgres::error::DbError;
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, SimpleQueryMessage, SimpleQueryStream};

/// A connection, and what the server says beside the answers.
pub struct Session {
    config: Config,
    client: Client,
    notices: mpsc::UnboundedReceiver<DbError>,
}

/// A column of an answer.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    /// Where it is known.
    pub data_type: Option<Type>,
}

/// What comes of a statement, as it comes.
pub enum Event {
    Columns(Vec<Column>),
    /// A value a column.
    Row(Vec<Option<String>>),
    /// The statement is done.
    Done,
}

/// The answer to one statement.
pub struct Answer {
    messages: std::pin::Pin<Box<SimpleQueryStream>>,
    types: Vec<Type>,
}

impl Session {
    pub async fn connect(url: &str, password: &str) -> anyhow::Result<Self> {
        let mut config: Config = url.parse().context("the address of the live views cannot be read")?;
        config.password(password).application_name("chimera sql");
        Self::open(config).await
    }

    /// After the server closed the connection.
    pub async fn connect_again(&mut self) -> anyhow::Result<()> {
        *self = Self::open(self.config.clone()).await?;
        Ok(())
    }

    async fn open(config: Config) -> anyhow::Result<Self> {
        let (client, mut connection) = config.connect(NoTls).await.context("the live views do not answer")?;
        let (say, notices) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notice(notice) = message {
                    // An error only says that the shell is at its end.
                    let _ = say.send(notice);
                }
            }
        });
        Ok(Self { config, client, notices })
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Begins a statement. What its columns are is asked first, where a query can be asked for it.
    pub async fn begin(&self, statement: &str, with_types: bool) -> Result<Answer, tokio_postgres::Error> {
        let types = if with_types {
            let prepared = self.client.prepare(statement).await?;
            prepared.columns().iter().map(|column| column.type_().clone()).collect()
        } else {
            Vec::new()
        };
        Ok(Answer { messages: Box::pin(self.client.simple_query_raw(statement).await?), types })
    }

    /// Asks the server to break off the statement that runs.
    pub async fn cancel(&self) {
        if let Err(error) = self.client.cancel_token().cancel_query(NoTls).await {
            eprintln!("the statement cannot be cancelled: {error}");
        }
    }

    /// What was said since the last time.
    pub fn notices(&mut self) -> Vec<DbError> {
        std::iter::from_fn(|| self.notices.try_recv().ok()).collect()
    }

    /// The rows of a query of the shell's own.
    pub async fn rows(&self, query: &str) -> anyhow::Result<Vec<Vec<Option<String>>>> {
        let mut answer = self.begin(query, false).await.map_err(|error| anyhow::anyhow!(super::said::plain(&error)))?;
        let mut rows = Vec::new();
        while let Some(event) = answer.next().await {
            match event.map_err(|error| anyhow::anyhow!(super::said::plain(&error)))? {
                Event::Row(row) => rows.push(row),
                Event::Columns(_) | Event::Done => {}
            }
        }
        if self.is_closed() {
            bail!("the server closed the connection");
        }
        Ok(rows)
    }
}

impl Answer {
    pub async fn next(&mut self) -> Option<Result<Event, tokio_postgres::Error>> {
        loop {
            let event = match self.messages.next().await? {
                Err(error) => return Some(Err(error)),
                Ok(SimpleQueryMessage::RowDescription(columns)) => self.columns(&columns),
                Ok(SimpleQueryMessage::Row(row)) => Event::Row((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect()),
                Ok(SimpleQueryMessage::CommandComplete(_)) => Event::Done,
                Ok(_) => continue,
            };
            return Some(Ok(event));
        }
    }

    fn columns(&self, columns: &Arc<[tokio_postgres::SimpleColumn]>) -> Event {
        let known = self.types.len() == columns.len();
        let data_type = |place: usize| if known { self.types.get(place).cloned() } else { None };
        let columns = columns.iter().enumerate();
        Event::Columns(columns.map(|(place, column)| Column { name: column.name().to_owned(), data_type: data_type(place) }).collect())
    }
}
