using Turnpike.Admin.Data;
using Turnpike.Tests.Storage;

namespace Turnpike.Tests.Admin.Data;

/// <summary>The list of what may be about somebody, the schema, and the page operators read are one.</summary>
public sealed class StoredStoreTests
{
    [Fact]
    public async Task Every_table_and_column_of_the_schema_is_on_the_list_or_said_to_name_nobody()
    {
        using var folder = new TemporaryFolder();
        using var database = folder.Open();
        var schema = await database.ReadAsync(sql => sql.Query("select m.name, c.name from sqlite_schema m join pragma_table_info(m.name) c where m.type = 'table' and m.name not like 'sqlite%'", row => (Table: row.Text(0), Column: row.Text(1))), default);
        var listed = StoredStore.All.SelectMany(table => table.Columns.Select(column => (table.Name, column.Name)))
            .Concat(StoredStore.NotShown.Select(column => (column.Split('.')[0], column.Split('.')[1])));
        schema.Where(each => !StoredStore.NamesNobody.Contains(each.Table)).Select(each => $"{each.Table}.{each.Column}").Order()
            .ShouldBe(listed.Select(each => $"{each.Item1}.{each.Item2}").Order());
        StoredStore.NamesNobody.ShouldBeSubsetOf(schema.Select(each => each.Table).Distinct().ToList());
        StoredStore.All.ShouldAllBe(table => !StoredStore.NamesNobody.Contains(table.Name));
    }

    [Fact]
    public void The_page_shows_the_list()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Turnpike.slnx"))) root = root.Parent!;
        var page = File.ReadAllText(Path.Combine(root.FullName, "docs", "operate.md"));
        foreach (var table in StoredStore.All)
        {
            var columns = string.Join(", ", table.Columns.Where(column => column.Naming != Naming.None).Select(column => $"`{column.Name}`"));
            page.ShouldContain($"| `{table.Name}` | {columns} | {table.Erased} |");
        }
        page.ShouldContain(string.Join(", ", StoredStore.NamesNobody.Select(table => $"`{table}`")));
    }
}
