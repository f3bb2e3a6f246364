namespace Turnpike.Tests.Architecture;

/// <summary>The laws of the design, checked over the checkout. A finding names file and line.</summary>
public sealed class LawTests
{
    private static IReadOnlyList<SourceFile> Code => SourceTree.Code;

    /// <summary>A law over no files holds always.</summary>
    [Fact] public void The_laws_see_the_sources() => new[] { "src/Turnpike/Ledger/ILedger.cs", "src/Turnpike.Protocols/Evm/Address.cs", "test/Turnpike.Tests/Architecture/LawTests.cs" }.ShouldBeSubsetOf(Code.Select(f => f.Path));

    [Fact] public void A_slice_names_only_slices_above_its_own() => Holds(Slices.Upward(Code));

    [Fact] public void A_registered_slice_has_tests() => Holds(Slices.Untested(SourceTree.Paths));

    [Fact] public void Protocols_have_no_async_clock_or_network() => Holds(Laws.ProtocolsDoNoWork(Code));

    [Fact] public void Protocols_take_no_package() => Holds(Laws.ProtocolsPackages("src/Turnpike.Protocols/Turnpike.Protocols.csproj", File.ReadAllText(SourceTree.Full("src/Turnpike.Protocols/Turnpike.Protocols.csproj"))));

    [Fact] public void HttpContext_stays_at_the_edge() => Holds(Laws.HttpContextAtTheEdge(Code));

    [Fact] public void Payment_headers_are_named_where_credentials_are_parsed() => Holds(Laws.PaymentHeaders(Code));

    [Fact] public void Sql_stands_only_in_stores() => Holds(Laws.SqlAtHome(Code));

    [Fact] public void Sql_is_never_interpolated() => Holds(Laws.SqlNeverInterpolated(Code));

    [Fact] public void Only_cashier_and_settler_move_money() => Holds(Laws.MoneyMovesInTwoPlaces(Code));

    [Fact] public void Methods_have_at_most_60_lines() => Holds(Laws.ShortMethods(Code));

    [Fact] public void Files_have_at_most_400_lines() => Holds(Laws.ShortFiles(Code));

    [Fact] public void Folders_have_at_most_20_files() => Holds(Laws.SmallFolders(SourceTree.Paths));

    [Fact] public void The_gate_has_at_most_25_lines() => Holds(Laws.ShortGate(Code.Single(f => f.Path == "src/Turnpike/Gateway/Gate.cs")));

    [Fact] public void Namespaces_are_folders() => Holds(Laws.NamespaceIsFolder(Code));

    [Fact] public void A_file_is_named_after_its_main_type() => Holds(Laws.FileIsType(Code));

    [Fact] public void Nothing_is_a_manager_helper_or_util() => Holds(Laws.TellingNames(Code));

    [Fact] public void The_root_holds_only_what_belongs_there() => Holds(TextLaws.KnownRoot(SourceTree.Paths));

    [Fact] public void Nothing_is_marked_unfinished() => Holds(SourceTree.Texts.SelectMany(t => TextLaws.NothingUnfinished(t.Path, t.Text)));

    [Fact] public void No_file_names_a_machine() => Holds(SourceTree.Texts.SelectMany(t => TextLaws.NoMachinePaths(t.Path, t.Text)));

    [Fact] public void No_file_names_a_package_registry() => Holds(SourceTree.Texts.Where(t => !t.Path.EndsWith("/TextLaws.cs", StringComparison.Ordinal)).SelectMany(t => TextLaws.NoRegistryHosts(t.Path, t.Text)));

    [Fact]
    public void Links_of_pages_resolve() =>
        Holds(SourceTree.Texts.Where(t => t.Path.EndsWith(".md", StringComparison.Ordinal)).SelectMany(t => TextLaws.LinksResolve(t.Path, t.Text, ReadPage)));

    private static string? ReadPage(string path) =>
        File.Exists(SourceTree.Full(path)) ? File.ReadAllText(SourceTree.Full(path)) : Directory.Exists(SourceTree.Full(path)) ? "" : null;

    private static void Holds(IEnumerable<string> findings)
    {
        var all = findings.ToList();
        if (all.Count > 0) Assert.Fail($"{all.Count} finding(s):\n{string.Join('\n', all.Take(40))}");
    }
}
