using System.Globalization;
using Turnpike.Bench.Stores;

namespace Turnpike.Bench;

/// <summary>
/// <c>./turnpike bench [all|http|ledger|postgres|nodes|holds|recover|memory|usage|streams|guards|copy]</c>: prints a table of ratios within one run. Ends with 0 unless a benchmark
/// broke: what a shared machine measures is told, not judged by an exit code.
/// </summary>
internal static class Program
{
    private const int Named = 2;

    private static readonly Dictionary<string, Func<string[], Task>> Benches = new(StringComparer.Ordinal)
    {
        ["http"] = HttpBench.RunAsync,
        ["ledger"] = static _ => LedgerBench.RunAsync(),
        ["postgres"] = PostgresBench.RunAsync,
        ["nodes"] = NodesBench.RunAsync,
        ["holds"] = HoldsBench.RunAsync,
        ["recover"] = static _ => { RecoverBench.Run(); return Task.CompletedTask; },
        ["memory"] = MemoryBench.RunAsync,
        ["guards"] = GuardsBench.RunAsync,
        ["streams"] = StreamsBench.RunAsync,
        ["usage"] = static _ => UsageBench.RunAsync(),
        ["copy"] = CopyBench.RunAsync,
    };

    public static async Task<int> Main(string[] args)
    {
        var verb = args.FirstOrDefault("all");
        var rest = args.Skip(1).ToArray();
        if (verb == Bystanders.UpstreamVerb) return await Bystanders.UpstreamAsync(Port(rest[0]));
        if (verb == Bystanders.ProxyVerb) return await Bystanders.ProxyAsync(Port(rest[0]), new Uri(rest[1]));
        if (verb == "all") foreach (var bench in Benches.Values) await bench(rest);
        else if (Benches.TryGetValue(verb, out var one)) await one(rest);
        else
        {
            Console.Error.WriteLine($"'{verb}' is no benchmark. Usage: ./turnpike bench [all|{string.Join('|', Benches.Keys)}] [--rounds N] [--seconds N]");
            return Named;
        }
        Table.Print();
        return 0;
    }

    /// <summary>The number after <paramref name="name"/>, or what stands for it.</summary>
    public static int Option(string[] args, string name, int otherwise) =>
        Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : otherwise;

    private static int Port(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
