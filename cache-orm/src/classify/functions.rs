//! Calls that are known to change no rows.
//!
//! Only by the plain names of built-in functions: a qualified name (`my.f()`) or one in quotes may be anybody's.
//! Sequences are not rows: `nextval` is harmless. Left out on purpose are functions that run SQL given as
//! text (`query_to_xml`, `ts_rewrite`), change the session (`set_config`, but for a setting of the user's own that ends
//! with the transaction), write files or load code.

use std::{collections::HashSet, sync::LazyLock};

use sea_orm::DbBackend;

use super::{keywords, lexer::Kind, statement::Statement};

/// True if the parenthesis at `open` is no call, or one that changes no rows.
pub(super) fn is_harmless(statement: &Statement, open: usize) -> bool {
    let Some(kind) = statement.kind_before(open, 1) else {
        return true;
    };
    match kind {
        Kind::Operator | Kind::Comma | Kind::Open | Kind::Close | Kind::OpenBracket => true,
        // The name of an alias and its columns: `AS t (a, b)`.
        Kind::Word | Kind::Quoted if statement.was(open, 2, &["AS"]) => true,
        Kind::Word if statement.kind_before(open, 2) == Some(Kind::Dot) => {
            is_in_pg_catalog(statement, open) && is_known(statement, open)
        }
        Kind::Word => {
            keywords::is_keyword(statement, open)
                || is_known(statement, open)
                || is_local_setting(statement, open)
                || is_common_table(statement, open)
                || keywords::is_alias(statement, open)
        }
        Kind::Quoted => is_common_table(statement, open) || keywords::is_alias(statement, open),
        Kind::CloseBracket | Kind::Dot | Kind::Semicolon => false,
        Kind::Text | Kind::Number | Kind::Parameter(_) => false,
    }
}

/// True for `pg_catalog.f(`: nobody's but Postgres' own functions are in that schema.
fn is_in_pg_catalog(statement: &Statement, open: usize) -> bool {
    let schema = open.checked_sub(3).and_then(|at| statement.name(at));
    let is_first = statement.kind_before(open, 4) != Some(Kind::Dot);
    statement.is_postgres() && is_first && schema.is_some_and(|schema| schema == "pg_catalog")
}

fn is_known(statement: &Statement, open: usize) -> bool {
    // With a space between, MySQL looks for a stored function of the same name.
    if statement.is_mysql() && !statement.touches_next(open - 1) {
        return false;
    }
    is_built_in(&statement.word(open - 1).to_ascii_lowercase(), statement.backend)
}

/// True for the name, in lower case, of a function that changes no rows as the server or a well-known extension
/// brings it.
pub(super) fn is_built_in(name: &str, backend: DbBackend) -> bool {
    let known = match backend {
        DbBackend::MySql => &KNOWN.mysql,
        DbBackend::Postgres => &KNOWN.postgres,
        _ => &KNOWN.sqlite,
    };
    known.contains(name)
}

/// Postgres' `set_config('a.b', …, true)`: a setting of the user's own, for the transaction alone.
fn is_local_setting(statement: &Statement, open: usize) -> bool {
    let near = statement.up_to(open + 100);
    let is_users = near.kind(open + 1) == Some(Kind::Text) && near.text(open + 1).contains('.');
    let is_local = near.closing(open).is_some_and(|close| {
        near.was(close, 1, &["TRUE"]) && near.kind_before(close, 2) == Some(Kind::Comma)
    });
    statement.is_postgres() && statement.is(open - 1, &["set_config"]) && is_users && is_local
}

/// The columns of a common table expression: `WITH x (a, b) AS (`, `, y (c) AS (`.
fn is_common_table(statement: &Statement, open: usize) -> bool {
    let Some(after) = statement.after_names(open) else {
        return false;
    };
    if !statement.is(after, &["AS"]) {
        return false;
    }
    if statement.was(open, 2, &["WITH", "RECURSIVE"]) {
        return true;
    }
    // Not `FROM t, f(a) AS (b int)`, which is a call.
    let query = statement.skip(after + 1, &["NOT", "MATERIALIZED"]) + 1;
    let is_query = statement.is(query, &["SELECT", "WITH", "TABLE"])
        || (statement.is(query, &["VALUES"]) && statement.kind(query + 1) == Some(Kind::Open));
    statement.kind_before(open, 2) == Some(Kind::Comma)
        && statement.kind(query - 1) == Some(Kind::Open)
        && is_query
}

/// True for the operators of Postgres and of the extensions that many databases have. Another one may call
/// any function.
pub(super) fn is_postgres_operator(operator: &str) -> bool {
    operator.len() == 1 && "+-*/<>=~!@#%^&|?".contains(operator)
        || OPERATORS.split(' ').any(|known| known == operator)
}

const OPERATORS: &str = "\
    <> != <= >= |/ ||/ !! @@ @@@ || && << >> <<= >>= <@ @> -> ->> #> #>> #- ?| ?& @? @@ ## <-> @-@ ?# ?- ?-| ?|| \
    ~~ !~~ ~~* !~~* ~* !~ !~* ^@ ~= ~<~ ~<=~ ~>=~ ~>~ -|- &< &> <<| |>> &<| |&> <^ >^ *= *<> *< *> *<= *>= \
    <% %> <<% %>> <<-> <->> <<<-> <->>> <#> <=> <+> <~> <%>";

static KNOWN: LazyLock<Known> =
    LazyLock::new(|| Known { mysql: names(MYSQL), postgres: names(POSTGRES), sqlite: names(SQLITE) });

struct Known {
    mysql: HashSet<&'static str>,
    postgres: HashSet<&'static str>,
    sqlite: HashSet<&'static str>,
}

fn names(own: &'static str) -> HashSet<&'static str> {
    COMMON.split(' ').chain(own.split(' ')).collect()
}

/// Functions of all three, and types that take a length.
const COMMON: &str = "\
    abs acos acosh asin asinh atan atan2 atanh avg cast ceil ceiling char char_length character_length \
    coalesce concat concat_ws cos cosh count cume_dist current_date current_time current_timestamp date \
    decimal degrees dense_rank exp first_value floor format greatest json json_array json_exists json_object \
    json_query json_value lag last_value lead least left length like ln log log10 lower lpad ltrim max min \
    mod nth_value ntile nullif numeric octet_length percent_rank pi position pow power radians rank replace \
    reverse right round row_number rpad rtrim sign sin sinh sqrt substr substring sum tan tanh time \
    timestamp trim upper varchar";

/// Postgres, and the extensions that many databases have.
const POSTGRES: &str = "\
    abbrev acosd age akeys any_value area array_agg array_append array_cat array_dims array_fill \
    array_length array_lower array_ndims array_position array_positions array_prepend array_remove \
    array_replace array_sample array_shuffle array_to_json array_to_string array_to_tsvector array_upper \
    ascii asind atan2d atand avals bit bit_and bit_count bit_length bit_or bit_xor bool_and bool_or \
    bound_box box bpchar broadcast btrim cardinality cbrt center character chr circle clock_timestamp \
    col_description convert_from convert_to corr cosd cosine_distance cot cotd covar_pop covar_samp cube \
    current_catalog current_database current_query current_schema current_schemas current_setting \
    current_user currval date_add date_bin date_part date_subtract date_trunc datemultirange daterange \
    decode diameter div encode erf erfc every extract factorial family float gcd gen_random_uuid \
    generate_series generate_subscripts get_bit get_byte grouping has_column_privilege \
    has_database_privilege has_schema_privilege has_table_privilege height host hostmask hstore inet_merge \
    inet_same_family initcap inner_product int4multirange int4range int8multirange int8range interval \
    isclosed isempty isfinite isopen json_agg json_array_elements json_array_elements_text json_array_length \
    json_arrayagg json_build_array json_build_object json_each json_each_text json_extract_path \
    json_extract_path_text json_object_agg json_object_keys json_objectagg json_populate_record \
    json_populate_recordset json_scalar json_serialize json_strip_nulls json_table json_to_record \
    json_to_recordset json_typeof jsonb jsonb_agg jsonb_array_elements jsonb_array_elements_text \
    jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path \
    jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_exists \
    jsonb_path_match jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_populate_record \
    jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record \
    jsonb_to_recordset jsonb_typeof justify_days justify_hours justify_interval l1_distance l2_distance \
    l2_normalize lastval lcm line localtime localtimestamp lower_inc lower_inf lseg make_date make_interval \
    make_time make_timestamp make_timestamptz masklen md5 merge_action min_scale mode multirange netmask \
    network nextval normalize now npoints num_nonnulls num_nulls nummultirange numnode numrange \
    obj_description overlaps overlay parse_ident path pclose percentile_cont percentile_disc pg_advisory_lock \
    pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared \
    pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_backend_pid pg_client_encoding pg_column_size \
    pg_current_snapshot pg_current_wal_lsn pg_current_xact_id pg_current_xact_id_if_assigned \
    pg_database_size pg_get_constraintdef pg_get_expr pg_get_functiondef pg_get_indexdef \
    pg_get_serial_sequence pg_get_userbyid pg_get_viewdef pg_indexes_size pg_is_in_recovery \
    pg_last_wal_replay_lsn pg_my_temp_schema pg_notify pg_postmaster_start_time pg_relation_size \
    pg_size_pretty pg_sleep pg_sleep_for pg_sleep_until pg_snapshot_xmin pg_table_is_visible pg_table_size \
    pg_tablespace_size pg_total_relation_size pg_try_advisory_lock pg_try_advisory_lock_shared \
    pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared pg_typeof phraseto_tsquery plainto_tsquery \
    point polygon popen querytree quote_ident quote_literal quote_nullable radius random random_normal \
    range_agg range_intersect_agg range_merge regexp_count regexp_instr regexp_like regexp_match \
    regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr regr_avgx \
    regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat rollup \
    row_to_json scale session_user set_bit set_byte set_masklen setseed setval setweight sha224 sha256 \
    sha384 sha512 show_trgm similarity sind skeys slope split_part starts_with statement_timestamp stddev \
    stddev_pop stddev_samp strict_word_similarity string_agg string_to_array string_to_table strip strpos \
    svals tand text timeofday timestamptz timetz to_ascii to_char to_date to_hex to_json to_jsonb to_number \
    to_regclass to_regtype to_timestamp to_tsquery to_tsvector transaction_timestamp translate treat \
    trim_array trim_scale trunc ts_delete ts_filter ts_headline ts_rank ts_rank_cd tsmultirange tsrange \
    tstzmultirange tstzrange tsvector_to_array txid_current txid_current_if_assigned txid_current_snapshot \
    txid_snapshot_xmin txid_status unaccent unistr unnest upper_inc upper_inf uuid_extract_timestamp \
    uuid_extract_version uuid_generate_v1 uuid_generate_v4 uuidv4 uuidv7 var_pop var_samp varbit variance \
    vector_dims vector_norm version websearch_to_tsquery width width_bucket word_similarity xmlagg \
    xmlattributes xmlconcat xmlelement xmlforest xmlparse xmlpi xmlroot xmlserialize xmltable";

/// MySQL and MariaDB.
const MYSQL: &str = "\
    adddate addtime aes_decrypt aes_encrypt against any_value ascii benchmark bin bin_to_uuid binary bit_and \
    bit_count bit_length bit_or bit_xor charset coercibility collation columns compress connection_id conv \
    convert convert_tz cot crc32 curdate current_role current_user curtime database date_add date_format \
    date_sub datediff datetime day dayname dayofmonth dayofweek dayofyear decode_histogram default elt \
    export_set extract extractvalue field find_in_set float format_bytes format_pico_time found_rows \
    from_base64 from_days from_unixtime geomfromtext get_format get_lock group_concat grouping hex hour if \
    ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa insert instr interval is_free_lock is_ipv4 is_ipv6 \
    is_used_lock is_uuid isnull json_array_append json_array_insert json_arrayagg json_compact json_contains \
    json_contains_path json_depth json_detailed json_equals json_extract json_insert json_keys json_length \
    json_loose json_merge json_merge_patch json_merge_preserve json_normalize json_objectagg json_overlaps \
    json_pretty json_quote json_remove json_replace json_schema_valid json_search json_set json_storage_size \
    json_table json_type json_unquote json_valid last_day last_insert_id lastval lcase localtime \
    localtimestamp locate log2 make_set makedate maketime match md5 median microsecond mid minute month \
    monthname name_const natural_sort_key nextval now oct ord percentile_cont percentile_disc period_add \
    period_diff point quarter quote rand random_bytes regexp_instr regexp_like regexp_replace regexp_substr \
    release_all_locks release_lock repeat row_count schema sec_to_time second session_user setval sformat \
    sha sha1 sha2 signed sleep soundex space st_area st_asgeojson st_astext st_contains st_distance \
    st_distance_sphere st_geomfromgeojson st_geomfromtext st_intersects st_srid st_within st_x st_y std \
    stddev stddev_pop stddev_samp str_to_date strcmp subdate substring_index subtime sysdate system_user \
    time_format time_to_sec timediff timestampadd timestampdiff to_base64 to_char to_days to_seconds \
    truncate ucase uncompress uncompressed_length unhex unix_timestamp updatexml user utc_date utc_time \
    utc_timestamp uuid uuid_short uuid_to_bin values var_pop var_samp variance version week weekday \
    weekofyear weight_string year yearweek";

/// SQLite.
const SQLITE: &str = "\
    bm25 changes datetime generate_series glob group_concat hex highlight if ifnull iif instr int integer \
    json_array_insert json_array_length json_each json_error_position json_extract json_group_array \
    json_group_object json_insert json_patch json_pretty json_quote json_remove json_replace json_set \
    json_tree json_type json_valid jsonb jsonb_array jsonb_each jsonb_extract jsonb_group_array \
    jsonb_group_object jsonb_insert jsonb_object jsonb_patch jsonb_remove jsonb_replace jsonb_set jsonb_tree \
    julianday last_insert_rowid likelihood likely log2 match median nvarchar percentile percentile_cont \
    percentile_disc pragma_collation_list pragma_compile_options pragma_database_list \
    pragma_foreign_key_list pragma_function_list pragma_index_info pragma_index_list pragma_index_xinfo \
    pragma_module_list pragma_table_info pragma_table_list pragma_table_xinfo printf quote random randomblob \
    regexp snippet soundex sqlite_compileoption_get sqlite_compileoption_used sqlite_source_id \
    sqlite_version strftime string_agg subtype text timediff total total_changes trunc typeof unhex unicode \
    unistr unistr_quote unixepoch unlikely zeroblob";
