//! Where the large renditions of pictures are: a folder, or an object store.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use reqwest::Url;
use uuid::Uuid;

use crate::api::problem::Problem;

/// An address that is no place for pictures.
#[derive(Debug, thiserror::Error)]
#[error("`{url}` is no place for pictures: {why}; write file:///FOLDER or s3://BUCKET/PREFIX")]
pub struct OpenError {
    url: String,
    why: String,
}

/// A picture's object never changes, and is there before the row that names it.
#[derive(Clone, Debug)]
pub struct PictureStore {
    store: Arc<dyn ObjectStore>,
    folder: Key,
}

impl PictureStore {
    /// `url`: `file:///folder` or `s3://bucket/prefix`; credentials and such come from the environment (`AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT`, …).
    pub fn open(url: &str) -> Result<Self, OpenError> {
        let wrong = |why: String| OpenError { url: url.to_owned(), why };
        let parsed = Url::parse(url).map_err(|error| wrong(error.to_string()))?;
        if parsed.scheme() == "memory" {
            return Err(wrong("it is gone with this process".into()));
        }
        let (store, prefix) = object_store::parse_url_opts(&parsed, std::env::vars()).map_err(|error| wrong(error.to_string()))?;
        let store: Arc<dyn ObjectStore> = match parsed.scheme() {
            // A picture that was taken in is there after a loss of power too.
            "file" => Arc::new(LocalFileSystem::new().with_fsync(true)),
            _ => store.into(),
        };
        Ok(Self { store, folder: prefix.join("pictures") })
    }

    fn key(&self, id: Uuid) -> Key {
        self.folder.clone().join(id.to_string())
    }

    pub async fn put(&self, id: Uuid, picture: Vec<u8>) -> Result<(), object_store::Error> {
        self.store.put(&self.key(id), picture.into()).await.map(drop)
    }

    /// `None`: there is no such object.
    pub async fn get(&self, id: Uuid) -> Result<Option<Bytes>, object_store::Error> {
        match self.store.get(&self.key(id)).await {
            Ok(found) => found.bytes().await.map(Some),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// As good if it is not there.
    pub async fn remove(&self, id: Uuid) -> Result<(), object_store::Error> {
        match self.store.delete(&self.key(id)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            result => result,
        }
    }

    /// All that there is.
    pub fn list(&self) -> BoxStream<'static, Result<ObjectMeta, object_store::Error>> {
        self.store.list(Some(&self.folder))
    }
}

/// The picture whose object this is.
pub fn id_of(object: &ObjectMeta) -> Option<Uuid> {
    object.location.filename()?.parse().ok()
}

impl From<object_store::Error> for Problem {
    fn from(error: object_store::Error) -> Self {
        Problem::unavailable("The store of pictures", error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_keeps_pictures_and_forgets_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = PictureStore::open(Url::from_file_path(folder.path()).expect("an address").as_str()).expect("a place");
        let id = Uuid::now_v7();
        assert_eq!(store.get(id).await.expect("an answer"), None);
        store.put(id, b"pixels".to_vec()).await.expect("put");
        assert_eq!(store.get(id).await.expect("an answer").as_deref(), Some(&b"pixels"[..]));
        assert!(folder.path().join("pictures").join(id.to_string()).is_file());
        store.remove(id).await.expect("removed");
        store.remove(id).await.expect("as good");
        assert_eq!(store.get(id).await.expect("an answer"), None);
    }

    #[test]
    fn what_is_no_place_is_refused_with_what_to_write() {
        for url in ["pictures", "memory:///x", "nowhere://x/y"] {
            let error = PictureStore::open(url).expect_err(url).to_string();
            assert!(error.contains(url) && error.contains("s3://"), "{error}");
        }
    }
}
