mod answers;
mod codecs;
mod decoders;
mod entities;
mod models;
mod values;
