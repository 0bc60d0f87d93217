//! A transparent, coherent model-instance cache for SeaORM 2.
