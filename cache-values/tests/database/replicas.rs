//! Values come from the replica, cells do not. Two tables that differ show who was asked.

use cache_values::{
    backend::{Backend, Put, When},
    name::Name,
};
use tests::backends;

use super::{Place, get, name, set};

#[tokio::test]
async fn values_are_read_from_the_replica_and_cells_from_the_primary() {
    for kind in backends() {
        let (primary, replica) = (Place::new(kind).await, Place::new(kind).await);
        let cell = Name::new("cell".to_owned(), true);
        for (place, bytes) in [(&primary, "primary"), (&replica, "replica")] {
            let backend = place.backend().await;
            set(&backend, "value", bytes.as_bytes()).await;
            let put = Put { name: cell.clone(), bytes: bytes.into(), ttl: None, when: When::Always };
            backend.put(&[put]).await.expect("it answers");
        }
        let backend = primary.backend().await.with_replica(replica.database.connect().await);
        let items = backend.get(&[name("value"), cell.clone()], true).await.expect("it answers");
        let bytes: Vec<_> = items.into_iter().flatten().map(|item| item.bytes).collect();
        assert_eq!(bytes, ["replica", "primary"], "{kind:?}");

        set(&backend, "value", b"new").await;
        assert_eq!(get(&primary.backend().await, "value").await.expect("it was put").bytes, "new");
        assert_eq!(get(&backend, "value").await.expect("it lags behind").bytes, "replica");
        assert_eq!(backend.remove(&[name("value")]).await.expect("it answers"), [true]);
        assert!(get(&primary.backend().await, "value").await.is_none());
        primary.close().await;
        replica.close().await;
    }
}
