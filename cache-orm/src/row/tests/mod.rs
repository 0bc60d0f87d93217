mod answers;
mod codecs;
mod entities;
mod models;
mod values;
