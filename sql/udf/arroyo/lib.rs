include!(env!("UDF"));
