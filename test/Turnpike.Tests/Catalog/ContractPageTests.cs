using System.Reflection;
using Turnpike.Audit;
using Turnpike.Catalog;

namespace Turnpike.Tests.Catalog;

/// <summary>docs/contract.md tells every reason and every kind of event there is, and no other.</summary>
public sealed class ContractPageTests
{
    private static readonly string[] Page = File.ReadAllLines(Path.Combine(Root(), "docs", "contract.md"));

    [Fact]
    public void Every_reason_has_its_row_word_for_word()
    {
        var rows = Page.SkipWhile(l => l != "## Reasons").TakeWhile(l => l != "## To the upstream").Where(l => l.StartsWith("| `", StringComparison.Ordinal));
        rows.ShouldBe(Reasons.All.Select(r => $"| `{r.Code}` | {r.Status} | {r.Title} | {r.Hint} |"), ignoreOrder: true);
    }

    [Fact]
    public void Every_kind_of_event_has_its_row()
    {
        var rows = Page.SkipWhile(l => l != "## Events").Where(l => l.StartsWith("| `", StringComparison.Ordinal)).Select(l => l.Split('`')[1]);
        rows.ShouldBe(typeof(AuditKinds).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!), ignoreOrder: true);
    }

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Turnpike.slnx"))) return folder.FullName;
        throw new InvalidOperationException();
    }
}
