using System.Text.RegularExpressions;

namespace Turnpike.Tests.Architecture;

/// <summary>What the design forbids, each as a function from source to findings, so that a test can show it finding something.</summary>
internal static partial class Laws
{
    /// <summary>Wire formats stay pure: whoever calls them brings time, bytes and the network.</summary>
    public static IEnumerable<string> ProtocolsDoNoWork(IEnumerable<SourceFile> files) =>
        files.Where(f => Below(f, "src/Turnpike.Protocols")).SelectMany(f => f.Find(Work(), "Turnpike.Protocols has no async, no clock, no network"));

    /// <summary>A package in Turnpike.Protocols needs an ADR; none has one.</summary>
    public static IEnumerable<string> ProtocolsPackages(string path, string project) =>
        Package().Matches(project).Select(m => $"{path}:{1 + project.AsSpan(0, m.Index).Count('\n')} {m.Value}: Turnpike.Protocols takes no package");

    /// <summary>HTTP ends at the edge; the slices in between know calls, payments and answers.</summary>
    public static IEnumerable<string> HttpContextAtTheEdge(IEnumerable<SourceFile> files) =>
        files.Where(f => Below(f, "src") && f.Slice is not ("Gateway" or "Mcp" or "Admin" or "Dashboard") && !f.Name.EndsWith("Api", StringComparison.Ordinal))
            .SelectMany(f => f.Find(HttpContextName(), "HttpContext belongs to Gateway, Mcp, Admin, Dashboard and *Api.cs"));

    /// <summary>A credential is parsed once: whoever else reads payment headers parses a second time, and the two must agree forever.</summary>
    public static IEnumerable<string> PaymentHeaders(IEnumerable<SourceFile> files) =>
        from file in files
        where Below(file, "src") && !Below(file, "src/Turnpike.Protocols") && !Below(file, "src/Turnpike.Client")
        where !(file.Slice == "Payments" && file.Name.EndsWith("Protocol", StringComparison.Ordinal) && file.Path.Split('/').Length == 5)
        where file.Path != "src/Turnpike/Gateway/HeaderLists.cs"
        from literal in file.Literals
        where PaymentHeader().IsMatch(literal.Text)
        select $"{file.Path}:{literal.Line} \"{literal.Text}\": payment headers are named only in Turnpike.Protocols, Turnpike.Client, Payments/*/*Protocol.cs and Gateway/HeaderLists.cs";

    /// <summary>SQL lives where tables live.</summary>
    public static IEnumerable<string> SqlAtHome(IEnumerable<SourceFile> files) =>
        from file in files
        where Below(file, "src") && file.Slice != "Storage"
        where !file.Name.StartsWith("SqlLedger", StringComparison.Ordinal) && !file.Name.EndsWith("Store", StringComparison.Ordinal)
        from literal in file.Literals
        where Sql().IsMatch(literal.Text)
        select $"{file.Path}:{literal.Line} SQL stands only in Storage/, SqlLedger*.cs and *Store.cs";

    /// <summary>SQL put together from values is an injection waiting for its value. The dialect rewrites literals into other literals, a copy names the schema's own tables; neither sees a value.</summary>
    public static IEnumerable<string> SqlNeverInterpolated(IEnumerable<SourceFile> files) =>
        from file in files
        where Below(file, "src") && file.Path is not ("src/Turnpike/Storage/Postgres/PostgresDialect.cs" or "src/Turnpike/Storage/Copying/CopiedTable.cs")
        from literal in file.Literals
        where literal.Interpolated && Sql().IsMatch(literal.Text)
        select $"{file.Path}:{literal.Line} SQL is never interpolated";

    /// <summary>Money moves in two places only; everyone else asks them.</summary>
    public static IEnumerable<string> MoneyMovesInTwoPlaces(IEnumerable<SourceFile> files) =>
        files.Where(f => Below(f, "src") && f.Slice != "Ledger")
            .Where(f => !(f.Slice == "Payments" && (f.Name.StartsWith("Cashier", StringComparison.Ordinal) || f.Name.StartsWith("Settler", StringComparison.Ordinal))))
            .SelectMany(f => f.Find(MoneyVerb(), "only Cashier and Settler hold, capture, settle and release"));

    public static IEnumerable<string> ShortMethods(IEnumerable<SourceFile> files) =>
        from file in files
        from method in Members.Methods(file)
        where method.Lines > 60
        select $"{file.Path}:{method.FirstLine} {method.Name} has {method.Lines} lines, 60 are allowed";

    public static IEnumerable<string> ShortFiles(IEnumerable<SourceFile> files) =>
        files.Where(f => f.LineCount > 400).Select(f => $"{f.Path}:401 has {f.LineCount} lines, 400 are allowed");

    public static IEnumerable<string> SmallFolders(IEnumerable<string> paths) =>
        paths.GroupBy(p => Path.GetDirectoryName(p)!.Replace('\\', '/')).Where(g => g.Key.Length > 0 && g.Count() > 20 && !g.Key.EndsWith("/Migrations", StringComparison.Ordinal)).Select(g => $"{g.Key}:1 has {g.Count()} files, 20 are allowed");

    /// <summary>The gate stays readable at one sight.</summary>
    public static IEnumerable<string> ShortGate(SourceFile gate) =>
        Members.Methods(gate).Where(m => m.Name == "InvokeAsync").ToList() is [var invoke]
            ? invoke.Lines <= 25 ? [] : [$"{gate.Path}:{invoke.FirstLine} InvokeAsync has {invoke.Lines} lines, 25 are allowed"]
            : [$"{gate.Path}:1 the gate has one method InvokeAsync"];

    public static IEnumerable<string> NamespaceIsFolder(IEnumerable<SourceFile> files)
    {
        foreach (var file in files.Where(f => f.Name != "Program"))
        {
            var wanted = string.Join('.', file.Folder.Split('/').Skip(1));
            var found = Namespace().Match(file.Code);
            if (!found.Success) { if (file.Types.Any()) yield return $"{file.Path}:1 has no namespace"; }
            else if (found.Groups["name"].Value != wanted) yield return $"{file.At(found.Index)} the namespace is {wanted}, as the folder";
        }
    }

    public static IEnumerable<string> FileIsType(IEnumerable<SourceFile> files) =>
        from file in files
        where file.Name != "Program" && file.Types.Any() && !file.Types.Contains(file.Name.Split('.')[0])
        select $"{file.Path}:1 declares {string.Join(", ", file.Types.Take(3))}, but no {file.Name.Split('.')[0]}";

    /// <summary>Such a name says that nobody knew what the thing is.</summary>
    public static IEnumerable<string> TellingNames(IEnumerable<SourceFile> files) =>
        files.SelectMany(f => f.Find(EmptyName(), "a name says what the thing is"));

    private static bool Below(SourceFile file, string folder) => file.Path.StartsWith(folder + "/", StringComparison.Ordinal);

    [GeneratedRegex(@"\b(async|await|Task|ValueTask|TimeProvider|Stopwatch|HttpClient|Socket|File|Environment\.TickCount(64)?|DateTime(Offset)?\.(Utc)?Now)\b")]
    private static partial Regex Work();

    [GeneratedRegex(@"<PackageReference\s+Include=""[^""]*""")]
    private static partial Regex Package();

    [GeneratedRegex(@"\b(HttpContext|IHttpContextAccessor)\b")]
    private static partial Regex HttpContextName();

    /// <summary>Case matters for one of them: <c>payment-required</c> in lower case is a problem type and a reason code.</summary>
    [GeneratedRegex(@"(?<![\w-])(PAYMENT-REQUIRED|Payment-Required|(?i:PAYMENT-SIGNATURE|X-PAYMENT|PAYMENT-RESPONSE|X-PAYMENT-RESPONSE|Payment-Receipt|Payment-Authorization|Accept-Payment|Payment-Session|Payment-Session-Snapshot|SIGN-IN-WITH-X|Settlement-Overrides))(?![\w-])")]
    private static partial Regex PaymentHeader();

    [GeneratedRegex(@"^\s*(select\s.*\sfrom\s|insert\s+(or\s+\w+\s+)?into\s|update\s+\w+\s+set\s|delete\s+from\s|(create|drop|alter)\s+(unique\s+)?(table|index)\s|pragma\s+\w+|with\s+\w+\s+as\s*\()", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Sql();

    [GeneratedRegex(@"(?<!\b(cashier|settler))\??\.(HoldAsync|CaptureAsync|ReleaseAsync|SettledAsync|UnknownAsync|CreditAsync)\(")]
    private static partial Regex MoneyVerb();

    [GeneratedRegex(@"\bnamespace\s+(?<name>[\w.]+)")]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(class|struct|interface|record|enum)\s+\w*(Manager|Helpers?|Utils?|Utilities)\b")]
    private static partial Regex EmptyName();
}
