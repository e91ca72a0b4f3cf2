//! Brands and categories by their names; those that are not there yet are made.

use std::collections::{BTreeSet, HashMap};

use sqlx::PgConnection;
use uuid::Uuid;

use crate::api::catalog::categories::place::MAX_CATEGORIES;

/// The brands of these names, and how many of them are new.
pub async fn brands(connection: &mut PgConnection, names: &BTreeSet<&str>) -> Result<(HashMap<String, Uuid>, u64), sqlx::Error> {
    let names: Vec<&str> = names.iter().copied().collect();
    let ids: Vec<Uuid> = names.iter().map(|_| Uuid::now_v7()).collect();
    let created = sqlx::query(
        "INSERT INTO brands (id, name) SELECT * FROM unnest($1::uuid[], $2::text[]) AS wanted (id, name)
         WHERE NOT EXISTS (SELECT FROM brands WHERE brands.name = wanted.name) ON CONFLICT (name) DO NOTHING",
    )
    .bind(ids)
    .bind(&names)
    .execute(&mut *connection)
    .await?
    .rows_affected();
    let known: Vec<(String, Uuid)> =
        sqlx::query_as("SELECT name, id FROM brands WHERE name = ANY($1)").bind(&names).fetch_all(connection).await?;
    Ok((known.into_iter().collect(), created))
}

/// The category that each path leads to, or why it leads to none.
pub type Places = HashMap<Vec<String>, Result<Uuid, String>>;

/// The categories at the ends of these paths, and how many are new. The caller holds [`crate::api::catalog::lock::Lock::Categories`].
pub async fn categories(connection: &mut PgConnection, paths: &BTreeSet<&[String]>) -> Result<(Places, u64), sqlx::Error> {
    if paths.is_empty() {
        return Ok((Places::new(), 0));
    }
    let names: BTreeSet<&str> = paths.iter().flat_map(|path| path.iter().map(String::as_str)).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let rows: Vec<(String, Uuid, Option<Uuid>)> =
        sqlx::query_as("SELECT name, id, parent_id FROM categories WHERE name = ANY($1)").bind(names).fetch_all(&mut *connection).await?;
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM categories").fetch_one(&mut *connection).await?;
    let mut tree = Tree { known: rows.into_iter().map(|(name, id, parent_id)| (name, (id, parent_id))).collect(), new: Vec::new(), there };
    let places = paths.iter().map(|path| (path.to_vec(), tree.place(path))).collect();
    sqlx::query("INSERT INTO categories (id, name, parent_id) SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[])")
        .bind(tree.new.iter().map(|new| new.0).collect::<Vec<_>>())
        .bind(tree.new.iter().map(|new| new.1.as_str()).collect::<Vec<_>>())
        .bind(tree.new.iter().map(|new| new.2).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok((places, tree.new.len() as u64))
}

/// The categories that paths name, as they are and as they will be.
struct Tree {
    /// Id and parent by name.
    known: HashMap<String, (Uuid, Option<Uuid>)>,
    /// Id, name and parent.
    new: Vec<(Uuid, String, Option<Uuid>)>,
    /// How many categories there are in all, without the new ones.
    there: i64,
}

impl Tree {
    fn place(&mut self, path: &[String]) -> Result<Uuid, String> {
        let (mut parent, mut missing) = (None, 0);
        for name in path {
            match self.known.get(name) {
                // Names are unique: what is there stands elsewhere.
                Some((_, stands_in)) if missing > 0 || *stands_in != parent => {
                    return Err(format!("`category`: there is a category `{}` at another place of the tree", name.escape_debug()));
                }
                Some((id, _)) => parent = Some(*id),
                None => missing += 1,
            }
        }
        if missing > 0 && self.there + (self.new.len() + missing) as i64 > MAX_CATEGORIES {
            return Err(format!("`category`: there would be more than {MAX_CATEGORIES} categories"));
        }
        for name in &path[path.len() - missing..] {
            let id = Uuid::now_v7();
            self.new.push((id, name.clone(), parent));
            self.known.insert(name.clone(), (id, parent));
            parent = Some(id);
        }
        parent.ok_or_else(|| "`category`: the path is empty".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_path_is_followed_made_or_refused_as_a_whole() {
        let (kitchen, mugs) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let known = HashMap::from([("Kitchen".to_owned(), (kitchen, None)), ("Mugs".to_owned(), (mugs, Some(kitchen)))]);
        let mut tree = Tree { known, new: Vec::new(), there: MAX_CATEGORIES - 3 };
        assert_eq!(tree.place(&path(&["Kitchen", "Mugs"])), Ok(mugs));
        for elsewhere in [&["Mugs"][..], &["Mugs", "Kitchen"], &["Home", "Kitchen"], &["Home", "Mugs"]] {
            assert!(tree.place(&path(elsewhere)).is_err(), "{elsewhere:?}");
        }
        assert!(tree.new.is_empty());
        let tin = tree.place(&path(&["Kitchen", "Mugs", "Tin"])).expect("a new category");
        assert_eq!(tree.place(&path(&["Kitchen", "Mugs", "Tin"])), Ok(tin));
        tree.place(&path(&["Garden", "Pots"])).expect("two new ones");
        assert_eq!(tree.new.len(), 3);
        assert_eq!(tree.new[0], (tin, "Tin".to_owned(), Some(mugs)));
        assert!(tree.place(&path(&["Garden", "Hoses"])).is_err(), "there are as many as there can be");
    }
}
