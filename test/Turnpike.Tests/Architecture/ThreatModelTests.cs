using System.Text.RegularExpressions;

namespace Turnpike.Tests.Architecture;

/// <summary>Every test that docs/threat-model.md names is there, and every row of its lists names one.</summary>
public sealed partial class ThreatModelTests
{
    private static readonly string Page = File.ReadAllText(SourceTree.Full("docs/threat-model.md"));

    [Fact]
    public void Every_test_it_names_is_there()
    {
        var known = Directory.EnumerateFiles(SourceTree.Full("test"), "*Tests.cs", SearchOption.AllDirectories).SelectMany(f => Method().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).ToHashSet(StringComparer.Ordinal);
        Named().Matches(Page).Select(m => m.Groups[1].Value).Where(name => !known.Contains(name)).ShouldBeEmpty();
    }

    [Fact]
    public void Every_row_of_the_lists_for_agents_and_apis_names_a_test()
    {
        var rows = Page.Split('\n').Where(l => Row().IsMatch(l)).ToList();
        rows.Count.ShouldBe(20);
        rows.Where(row => !Named().IsMatch(row)).ShouldBeEmpty();
    }

    [GeneratedRegex(@"(?:Task|void) ([A-Z]\w*_\w+)\(")]
    private static partial Regex Method();

    [GeneratedRegex("`([A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+)`")]
    private static partial Regex Named();

    [GeneratedRegex(@"^\| (ASI\d\d|API\d+) ")]
    private static partial Regex Row();
}
