//! What the derive accepts: each file compiles, and its entities carry the policy that they were given.
#![allow(unreachable_pub, reason = "SeaORM's macros need models that are pub")]

mod beside_generated_model_ex;
mod every_setting;
mod expanded_format;
mod types_of_columns;
