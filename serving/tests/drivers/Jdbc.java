// What programs on PostgreSQL's JDBC driver (Metabase, DBeaver, reports) do with the live views.
// java -cp postgresql.jar Jdbc.java HOST:PORT PASSWORD

import java.math.BigDecimal;
import java.sql.*;
import java.util.*;

public class Jdbc {
    static Connection connect(String address, String password, String options) throws SQLException {
        var properties = new Properties();
        properties.put("user", "reader");
        properties.put("password", password);
        return DriverManager.getConnection("jdbc:postgresql://" + address + "/chimera" + options, properties);
    }

    static void check(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }

    interface Part { void run() throws Exception; }

    static int failed = 0;

    // All parts are run, so that one says all that is wrong.
    static void part(String name, Part part) {
        try {
            part.run();
            System.out.println("ok " + name);
        } catch (Throwable error) {
            failed++;
            System.out.println("FAILED " + name + ": " + error);
            var trace = error.getStackTrace();
            for (var frame : trace) if (frame.getClassName().startsWith("Jdbc")) System.out.println("   at " + frame);
        }
    }

    static List<String> names(ResultSet rows, String column) throws SQLException {
        var names = new ArrayList<String>();
        while (rows.next()) names.add(rows.getString(column));
        return names;
    }

    public static void main(String[] arguments) throws Exception {
        String address = arguments[0], password = arguments[1];
        try (var wrong = connect(address, "wrong", "")) {
            check(false, "a wrong password opened a session");
        } catch (SQLException refused) {
            check("28P01".equals(refused.getSQLState()), "wrong password: " + refused.getSQLState() + " " + refused.getMessage());
        }
        var connection = connect(address, password, "");

        part("metadata", () -> {
            var about = connection.getMetaData();
            check(about.getDatabaseProductName().equals("PostgreSQL"), about.getDatabaseProductName());
            check(names(about.getSchemas(), "TABLE_SCHEM").contains("sales"), "schemas");
            var tables = names(about.getTables(null, "sales", "%", new String[] {"TABLE", "VIEW", "MATERIALIZED VIEW"}), "TABLE_NAME");
            check(tables.contains("by_country") && tables.contains("totals"), "tables: " + tables);
            var columns = new TreeMap<String, Integer>();
            try (var rows = about.getColumns(null, "sales", "by_country", "%")) {
                while (rows.next()) columns.put(rows.getString("COLUMN_NAME"), rows.getInt("DATA_TYPE"));
            }
            check(columns.containsKey("country") && columns.get("orders") == Types.BIGINT, "columns: " + columns);
            check(columns.get("revenue") == Types.NUMERIC, "revenue: " + columns);
        });
        part("primary keys", () -> {
            var keys = names(connection.getMetaData().getPrimaryKeys(null, "sales", "by_country"), "COLUMN_NAME");
            check(keys.equals(List.of("country")), "keys: " + keys);
        });
        part("what else tools ask", () -> {
            var about = connection.getMetaData();
            about.getTypeInfo().close();
            about.getIndexInfo(null, "sales", "by_country", false, true).close();
            about.getImportedKeys(null, "sales", "by_country").close();
            connection.isValid(5);
        });

        part("prepared on the server after five uses", () -> {
            try (var query = connection.prepareStatement("SELECT country, orders, revenue FROM sales.by_country WHERE orders >= ? ORDER BY country")) {
                List<String> first = null;
                for (int round = 0; round < 8; round++) {
                    query.setLong(1, 1);
                    var found = new ArrayList<String>();
                    try (var rows = query.executeQuery()) {
                        while (rows.next()) found.add(rows.getString(1) + rows.getLong(2) + rows.getBigDecimal(3));
                    }
                    check(!found.isEmpty(), "no rows");
                    if (first == null) first = found;
                    check(first.equals(found), "round " + round + ": " + found);
                }
            }
        });

        part("fetch size", () -> {
            connection.setAutoCommit(false);
            try (var query = connection.createStatement()) {
                query.setFetchSize(50);
                long sum = 0, count = 0;
                try (var rows = query.executeQuery("SELECT value FROM generate_series(1, 20001) AS s(value)")) {
                    while (rows.next()) { sum += rows.getLong(1); count++; }
                }
                check(count == 20001 && sum == 20001L * 20002 / 2, count + " rows, " + sum);
                query.setFetchSize(Integer.MAX_VALUE);
                try (var rows = query.executeQuery("SELECT country FROM sales.by_country")) { check(rows.next(), "a row"); }
            }
            connection.commit();
            connection.setAutoCommit(true);
        });

        part("a transaction that an error broke off", () -> {
            connection.setAutoCommit(false);
            try (var query = connection.createStatement()) {
                try { query.executeQuery("SELECT nothing FROM sales.totals"); check(false, "it ran"); } catch (SQLException expected) { }
                try { query.executeQuery("SELECT 1"); check(false, "it ran"); } catch (SQLException refused) {
                    check("25P02".equals(refused.getSQLState()), refused.getSQLState());
                }
                connection.rollback();
                check(query.executeQuery("SELECT 1").next(), "after the rollback");
                var save = connection.setSavepoint("here");
                try { query.executeQuery("SELECT nothing FROM sales.totals"); } catch (SQLException expected) { }
                connection.rollback(save);
                check(query.executeQuery("SELECT 1").next(), "after the savepoint");
            }
            connection.commit();
            connection.setAutoCommit(true);
        });

        part("types", () -> {
            String sql = "SELECT CAST(7 AS SMALLINT), 8, CAST(9 AS BIGINT), CAST(1.50 AS DECIMAL(10, 2)), true, 'é', NULL::text, "
                + "TIMESTAMP '2026-01-02 03:04:05.678', DATE '2026-01-02', CAST(0.5 AS DOUBLE PRECISION), make_array(1, 2, NULL), make_array('a', 'b,c')";
            for (var options : List.of("", "?binaryTransfer=true&prepareThreshold=-1", "?preferQueryMode=simple")) {
                try (var other = connect(address, password, options); var query = other.prepareStatement(sql); var row = query.executeQuery()) {
                    check(row.next(), "a row");
                    check(row.getInt(1) == 7 && row.getInt(2) == 8 && row.getLong(3) == 9, "integers");
                    check(row.getBigDecimal(4).equals(new BigDecimal("1.50")), "decimal " + row.getBigDecimal(4));
                    check(row.getBoolean(5) && row.getString(6).equals("é"), "boolean, text");
                    check(row.getString(7) == null && row.wasNull(), "null");
                    check(row.getTimestamp(8).equals(Timestamp.valueOf("2026-01-02 03:04:05.678")), "timestamp " + row.getTimestamp(8));
                    check(row.getDate(9).equals(java.sql.Date.valueOf("2026-01-02")), "date " + row.getDate(9));
                    check(row.getDouble(10) == 0.5, "double");
                    var numbers = (Object[]) row.getArray(11).getArray();
                    check(((Number) numbers[1]).intValue() == 2 && numbers[2] == null, options + " array " + Arrays.toString(numbers));
                    check(Arrays.equals((Object[]) row.getArray(12).getArray(), new String[] {"a", "b,c"}), "texts " + row.getString(12));
                }
            }
        });
        part("parameters", () -> {
            try (var query = connection.prepareStatement("SELECT count(*) FROM sales.by_minute WHERE minute >= ? AND minute < ?")) {
                query.setTimestamp(1, Timestamp.valueOf("2000-01-01 00:00:00"));
                query.setTimestamp(2, Timestamp.valueOf("2100-01-01 00:00:00"));
                try (var row = query.executeQuery()) { check(row.next() && row.getLong(1) > 0, "a count"); }
            }
            try (var query = connection.prepareStatement("SELECT orders FROM sales.by_country WHERE country = ?")) {
                query.setString(1, "nowhere");
                try (var row = query.executeQuery()) { check(!row.next(), "no row"); }
            }
            try (var query = connection.prepareStatement("SELECT count(*) FROM sales.by_country WHERE revenue > ?")) {
                query.setBigDecimal(1, new BigDecimal("-1.5"));
                try (var row = query.executeQuery()) { check(row.next() && row.getLong(1) > 0, "a count"); }
            }
        });

        part("cancel", () -> {
            String slow = "SELECT sum(a.value * b.value) FROM generate_series(1, 100000) a CROSS JOIN generate_series(1, 100000) b";
            try (var query = connection.createStatement()) {
                var timer = new Timer(true);
                timer.schedule(new TimerTask() {
                    public void run() { try { query.cancel(); } catch (SQLException error) { error.printStackTrace(); } }
                }, 500);
                try { query.executeQuery(slow); check(false, "it was not cancelled"); } catch (SQLException cancelled) {
                    check("57014".equals(cancelled.getSQLState()), cancelled.getSQLState() + " " + cancelled.getMessage());
                }
                check(query.executeQuery("SELECT 1").next(), "the session goes on");
            }
        });

        part("what Grafana asks", () -> {
            for (String sql : List.of(
                "SELECT CURRENT_SETTING('server_version_num')::int/100 as version",
                "SHOW server_version",
                "SELECT version()",
                "SELECT\n    CASE WHEN\n          quote_ident(table_schema) IN (\n          SELECT\n            CASE WHEN trim(s[i]) = '\"$user\"' THEN user ELSE trim(s[i]) END\n"
                    + "          FROM\n            generate_series(\n              array_lower(string_to_array(current_setting('search_path'),','),1),\n"
                    + "              array_upper(string_to_array(current_setting('search_path'),','),1)\n            ) as i,\n"
                    + "            string_to_array(current_setting('search_path'),',') s\n          )\n      THEN quote_ident(table_name)\n"
                    + "      ELSE quote_ident(table_schema) || '.' || quote_ident(table_name)\n    END AS \"table\"\n    FROM information_schema.tables\n"
                    + "    WHERE quote_ident(table_schema) NOT IN ('information_schema',\n                             'pg_catalog')\n    ORDER BY 1",
                "SELECT quote_ident(column_name) AS \"column\", data_type AS \"type\"\nFROM information_schema.columns\n"
                    + "WHERE\n   CASE WHEN array_length(parse_ident('sales.by_minute'),1) = 2\n"
                    + "     THEN quote_ident(table_schema) = (parse_ident('sales.by_minute'))[1]\n       AND quote_ident(table_name) = (parse_ident('sales.by_minute'))[2]\n"
                    + "     ELSE quote_ident(table_name) = 'sales.by_minute'\n   END",
                "SELECT minute AS \"time\", orders FROM sales.by_minute WHERE minute BETWEEN '2000-01-01T00:00:00Z' AND '2100-01-01T00:00:00Z' ORDER BY 1",
                "SELECT floor(extract(epoch from minute)/60)*60 AS \"time\", sum(orders) AS \"value\" FROM sales.by_minute "
                    + "WHERE minute BETWEEN '2000-01-01T00:00:00Z' AND '2100-01-01T00:00:00Z' GROUP BY 1 ORDER BY 1",
                "SELECT extract(epoch from minute) AS \"time\", orders AS \"value\" FROM sales.by_minute WHERE minute >= '2000-01-01T00:00:00.123Z' LIMIT 5")) {
                // Grafana's driver sends simple queries where there are no parameters.
                for (var options : List.of("?preferQueryMode=simple", "")) {
                    try (var other = connect(address, password, options); var query = other.createStatement(); var rows = query.executeQuery(sql)) {
                        check(rows.next(), "no rows: " + sql);
                    } catch (SQLException error) {
                        check(false, sql + ": " + error.getMessage());
                    }
                }
            }
        });
        System.exit(failed == 0 ? 0 : 1);
    }
}
