using Turnpike.Storage;

namespace Turnpike.Tests.Storage;

/// <summary>What every database does, file or server.</summary>
public sealed class SharedStorageTests
{
    private static readonly Migration Values = new(1, "values", "create table v (id integer primary key, t text, n bigint, b blob, w bigint)");

    [Fact]
    public async Task Values_of_every_kind_come_back()
    {
        using var folder = new TemporaryFolder();
        using var database = folder.OpenEmpty([Values]);
        var time = new DateTimeOffset(2026, 11, 21, 1, 2, 3, TimeSpan.Zero).AddMicroseconds(456_789);
        var longText = new string('é', 5_000);
        await database.WriteAsync(sql =>
        {
            sql.Run("insert into v (id, t, n, b, w) values ($1, $2, $3, $4, $5)", 1, longText, long.MinValue, new byte[] { 0, 1, 255 }, time);
            sql.Run("insert into v (id, w, b, n, t) values ($1, $5, $4, $3, $2)", 2, "", SqlValue.Null, SqlValue.Null, (DateTimeOffset?)null);
        }, default);
        var rows = await database.ReadAsync(sql => sql.Query("select t, n, b, w from v order by id", row => (row.TextOrNull(0), row.LongOrNull(1), row.IsNull(2) ? null : row.Bytes(2), row.TimeOrNull(3))), default);
        rows[0].Item1.ShouldBe(longText);
        rows[0].Item2.ShouldBe(long.MinValue);
        rows[0].Item3.ShouldBe([0, 1, 255]);
        rows[0].Item4.ShouldBe(time);
        rows[1].ShouldBe(("", null, null, null));
    }

    [Fact]
    public async Task Rows_of_one_statement_are_all_written_and_one_that_is_not_there_fails_the_command()
    {
        using var folder = new TemporaryFolder();
        using var database = folder.OpenEmpty([Values]);
        await database.WriteAsync(sql =>
        {
            for (var i = 1; i <= 300; i++)
            {
                sql.RunRow("insert into v (id, t, n, b) values ($1, $2, $1 + 1, $3)", i, i % 2 == 0 ? null : $"t{i}", i % 3 == 0 ? SqlValue.Null : new byte[] { (byte)i });
                if (i % 100 == 0) sql.RunRow("update v set t = $2 where id = $1", i - 1, "changed");
            }
        }, default);
        await Should.ThrowAsync<Exception>(async () => await database.WriteAsync(sql =>
        {
            sql.RunRow("update v set t = 'never' where id = $1", 1);
            sql.RunRow("update v set t = 'never' where id = $1", 1001);
        }, default));
        var rows = await database.ReadAsync(sql => sql.Query("select id, t, n, b from v order by id", row => (row.Long(0), row.TextOrNull(1), row.Long(2), row.IsNull(3))), default);
        rows.Count.ShouldBe(300);
        rows[0].ShouldBe((1, "t1", 2, false));
        rows[1].ShouldBe((2, null, 3, false));
        rows[98].ShouldBe((99, "changed", 100, true));
    }

    [Fact]
    public async Task What_rows_of_one_statement_have_in_common_is_in_each_of_them()
    {
        using var folder = new TemporaryFolder();
        using var database = folder.OpenEmpty([Values]);
        await database.WriteAsync(sql =>
        {
            for (var i = 1; i <= 3; i++) sql.RunRow("insert into v (id, t, n, b, w) values ($1, $2, $3, $4, $5)", i, "same", SqlValue.Null, new byte[] { 7 }, 5);
        }, default);
        await database.WriteAsync(sql =>
        {
            for (var i = 1; i <= 3; i++) sql.RunRow("update v set t = $2, n = $3, w = $4 where id = $1", i, SqlValue.Null, 9, i == 2 ? 6 : 5);
        }, default);
        (await database.ReadAsync(sql => sql.Query("select id, t, n, b, w from v order by id", row => (row.Long(0), row.TextOrNull(1), row.LongOrNull(2), row.Bytes(3)[0], row.Long(4))), default))
            .ShouldBe([(1, null, 9, 7, 5), (2, null, 9, 7, 6), (3, null, 9, 7, 5)]);
    }

    [Fact]
    public async Task Long_answers_stream_side_by_side()
    {
        using var folder = new TemporaryFolder();
        using var database = folder.OpenEmpty([Values]);
        await database.WriteAsync(sql =>
        {
            for (var i = 1; i <= 2_500; i++) sql.RunRow("insert into v (id, t) values ($1, $2)", i, $"t{i}");
        }, default);
        var sums = await database.ScanAsync(sql =>
        {
            long equal = 0;
            using var downwards = sql.Stream("select id from v where id > $1 order by id desc", row => row.Long(0), 0).GetEnumerator();
            foreach (var id in sql.Stream("select id from v order by id", row => row.Long(0)))
                if (downwards.MoveNext() && downwards.Current + id == 2_501)
                    equal++;
            return equal;
        }, default);
        sums.ShouldBe(2_500);
    }

    [Fact]
    public async Task Text_is_ordered_by_its_bytes()
    {
        using var folder = new TemporaryFolder();
        using var database = folder.OpenEmpty([Values]);
        string[] texts = ["a:1", "a", "B", "_", "é", "Z", "a-1", "aB"];
        await database.WriteAsync(sql => { foreach (var text in texts) sql.Run("insert into v (t) values ($1)", text); }, default);
        (await database.ReadAsync(sql => sql.Query("select t from v order by t", row => row.Text(0)), default)).ShouldBe(texts.Order(StringComparer.Ordinal));
        (await database.ReadAsync(sql => sql.Query("select id from v order by id", row => row.Long(0)), default)).ShouldBe(Enumerable.Range(1, texts.Length).Select(i => (long)i));
    }
}
