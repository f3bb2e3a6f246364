namespace Turnpike.Tests.Architecture;

/// <summary>A law that cannot fail is decoration: each is fed a small source that breaks it, and a neighbour that does not.</summary>
public sealed class LawsCanFailTests
{
    private static SourceFile File(string path, string text) => SourceFile.Of(path, text);

    private static void Finds(IEnumerable<string> findings, string where) => findings.ShouldHaveSingleItem().ShouldStartWith(where);

    [Fact]
    public void A_name_of_a_later_slice_is_found()
    {
        var gate = File("src/Turnpike/Gateway/Gate.cs", "namespace Turnpike.Gateway;\nclass Gate;");
        Finds(Slices.Upward([File("src/Turnpike/Ledger/A.cs", "// Turnpike.Gateway\nusing Turnpike.Gateway;")]), "src/Turnpike/Ledger/A.cs:2");
        Finds(Slices.Upward([gate, File("src/Turnpike/Ledger/A.cs", "\n\nGateway.Gate gate;")]), "src/Turnpike/Ledger/A.cs:3");
        Finds(Slices.Upward([File("src/Turnpike/Usings.cs", "global using Turnpike.Ledger;")]), "src/Turnpike/Usings.cs:1");
        Finds(Slices.Upward([File("src/Turnpike/Sundry/A.cs", "")]), "src/Turnpike/Sundry/A.cs:1");
        Slices.Upward([gate, File("src/Turnpike/Admin/A.cs", "using Turnpike.Gateway; var x = \"Turnpike.Demo\";")]).ShouldBeEmpty();
    }

    [Fact]
    public void A_registered_slice_without_tests_is_found()
    {
        Finds(Slices.Untested(["src/Turnpike/Audit/AuditSetup.cs", "test/Turnpike.Tests/Audit/Data.cs"]), "src/Turnpike/Audit:1");
        Slices.Untested(["src/Turnpike/Audit/AuditSetup.cs", "test/Turnpike.Tests/Audit/ChainTests.cs"]).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("async void F() {}")]
    [InlineData("var now = DateTimeOffset.UtcNow;")]
    [InlineData("HttpClient http;")]
    public void Work_in_protocols_is_found(string code)
    {
        Finds(Laws.ProtocolsDoNoWork([File("src/Turnpike.Protocols/Mpp/A.cs", "\n" + code)]), "src/Turnpike.Protocols/Mpp/A.cs:2");
        Laws.ProtocolsDoNoWork([File("src/Turnpike/Audit/A.cs", code), File("src/Turnpike.Protocols/Mpp/A.cs", "// " + code)]).ShouldBeEmpty();
    }

    [Fact]
    public void A_package_in_protocols_is_found() =>
        Finds(Laws.ProtocolsPackages("P.csproj", "<Project>\n<PackageReference Include=\"X\" />"), "P.csproj:2");

    [Fact]
    public void HttpContext_in_the_middle_is_found()
    {
        Finds(Laws.HttpContextAtTheEdge([File("src/Turnpike/Payments/A.cs", "void F(HttpContext http);")]), "src/Turnpike/Payments/A.cs:1");
        Laws.HttpContextAtTheEdge([File("src/Turnpike/Gateway/A.cs", "HttpContext"), File("src/Turnpike/Tokens/TokensApi.cs", "HttpContext"), File("src/Turnpike/Audit/A.cs", "\"HttpContext\"")]).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("PAYMENT-SIGNATURE")]
    [InlineData("x-payment")]
    [InlineData("PAYMENT-REQUIRED")]
    [InlineData("send it as Payment-Authorization: Payment")]
    public void A_payment_header_elsewhere_is_found(string header)
    {
        var code = $"var a = $\"{{b}} {header}\";";
        Finds(Laws.PaymentHeaders([File("src/Turnpike/Limits/A.cs", code)]), "src/Turnpike/Limits/A.cs:1");
        Finds(Laws.PaymentHeaders([File("src/Turnpike/Payments/AProtocol.cs", code)]), "src/Turnpike/Payments/AProtocol.cs:1");
        Laws.PaymentHeaders([File("src/Turnpike/Payments/X402/X402Protocol.cs", code), File("src/Turnpike/Gateway/HeaderLists.cs", code), File("src/Turnpike.Client/A.cs", code)]).ShouldBeEmpty();
    }

    [Fact]
    public void The_reason_payment_required_is_no_header() =>
        Laws.PaymentHeaders([File("src/Turnpike/Catalog/A.cs", "\"payment-required\"; \"x-payments\"")]).ShouldBeEmpty();

    [Theory]
    [InlineData("var sql = \"\"\"\n    select id\n    from holds\n    \"\"\";")]
    [InlineData("var sql = \"INSERT INTO holds values (1)\";")]
    [InlineData("var sql = @\"delete from holds\";")]
    public void Sql_elsewhere_is_found(string code)
    {
        Finds(Laws.SqlAtHome([File("src/Turnpike/Ledger/A.cs", code)]), "src/Turnpike/Ledger/A.cs:1");
        Laws.SqlAtHome([File("src/Turnpike/Ledger/SqlLedger.cs", code), File("src/Turnpike/Audit/AuditStore.cs", code), File("src/Turnpike/Storage/A.cs", code)]).ShouldBeEmpty();
    }

    [Fact]
    public void Interpolated_sql_is_found()
    {
        Finds(Laws.SqlNeverInterpolated([File("src/Turnpike/Storage/A.cs", "var a = $\"select {x[\"}\"]} from holds\";")]), "src/Turnpike/Storage/A.cs:1");
        Laws.SqlNeverInterpolated([File("src/Turnpike/Storage/A.cs", "var a = \"select 1 from holds\"; var b = $\"{a}\";")]).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("await ledger.HoldAsync(hold, ct);")]
    [InlineData("await books?.ReleaseAsync(id, why, [], ct);")]
    [InlineData("await ledger.SettledAsync(id, reference, null, [], ct);")]
    public void Money_moved_elsewhere_is_found(string code)
    {
        Finds(Laws.MoneyMovesInTwoPlaces([File("src/Turnpike/Admin/A.cs", code)]), "src/Turnpike/Admin/A.cs:1");
        Laws.MoneyMovesInTwoPlaces([File("src/Turnpike/Payments/CashierHolds.cs", code), File("src/Turnpike/Payments/Settler.cs", code), File("src/Turnpike/Gateway/Gate.cs", "await cashier.HoldAsync(payment, ct);")]).ShouldBeEmpty();
    }

    [Fact]
    public void A_long_method_is_found()
    {
        var body = string.Concat(Enumerable.Repeat("        if (x) { y(); }\n", 60));
        var code = $"class A\n{{\n    private readonly int[] table = {{ 1 }};\n    [Fact]\n    public Task<int> F<T>(int a) where T : class\n    {{\n{body}    }}\n    int G() =>\n{body.Replace(';', ' ')}    1;\n    int Short() {{ return 1; }}\n}}";
        Laws.ShortMethods([File("src/A.cs", code)]).ShouldBe(["src/A.cs:5 F has 63 lines, 60 are allowed", "src/A.cs:68 G has 62 lines, 60 are allowed"]);
    }

    [Fact]
    public void A_long_file_and_a_full_folder_are_found()
    {
        Finds(Laws.ShortFiles([File("src/A.cs", new string('\n', 401) + "x"), File("src/B.cs", string.Concat(Enumerable.Repeat("x\n", 400)))]), "src/A.cs:401");
        Finds(Laws.SmallFolders([.. Enumerable.Range(0, 21).Select(i => $"src/A/{i}.cs"), .. Enumerable.Range(0, 20).Select(i => $"src/B/{i}.cs")]), "src/A:1");
    }

    [Fact]
    public void A_long_gate_is_found()
    {
        static string Gate(int lines) => $"class Gate\n{{\n    public async Task InvokeAsync(HttpContext http)\n    {{\n{string.Concat(Enumerable.Repeat("        x();\n", lines))}    }}\n}}";
        Finds(Laws.ShortGate(File("Gate.cs", Gate(23))), "Gate.cs:3 InvokeAsync has 26");
        Finds(Laws.ShortGate(File("Gate.cs", "class Gate { }")), "Gate.cs:1");
        Laws.ShortGate(File("Gate.cs", Gate(22))).ShouldBeEmpty();
    }

    [Fact]
    public void A_wrong_namespace_file_or_type_name_is_found()
    {
        Finds(Laws.NamespaceIsFolder([File("src/Turnpike/Audit/A.cs", "\nnamespace Turnpike.Ledger;")]), "src/Turnpike/Audit/A.cs:2");
        Finds(Laws.NamespaceIsFolder([File("src/Turnpike/Audit/A.cs", "class A;")]), "src/Turnpike/Audit/A.cs:1");
        Finds(Laws.FileIsType([File("src/Turnpike/Audit/A.cs", "class B; class C;"), File("src/Turnpike/Audit/B.Part.cs", "record struct B;")]), "src/Turnpike/Audit/A.cs:1");
        Finds(Laws.TellingNames([File("src/A.cs", "class Order;\nclass OrderManager;")]), "src/A.cs:2");
    }
}
