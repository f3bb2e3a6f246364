using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Billing.Statements;
using Turnpike.Ledger;

namespace Turnpike.Admin.Accounts;

/// <summary>A rail over the time. Fees and paidOut are null where the rail does not tell them.</summary>
internal sealed record RailView(string Rail, string Currency, string Taken, string GivenBack, string? Fees, string? PaidOut);

/// <summary>A role of accounts over the time; its closing is what the ledger adds up to then.</summary>
internal sealed record RoleView(string Role, string Currency, string Opening, string In, string Out, string Closing);

/// <summary>The owner's statement of a time. Revenue is what was delivered; deferred what was paid for and not delivered yet, expired the part of it in tokens that have ended; receivable what callers owe.</summary>
internal sealed record StatementView(DateTimeOffset From, DateTimeOffset To, IReadOnlyList<RailView> Rails, IReadOnlyList<MoneyView> Revenue, IReadOnlyList<MoneyView> Refunded, IReadOnlyList<MoneyView> Credited, IReadOnlyList<MoneyView> Losses,
    IReadOnlyList<MoneyView> Expenses, IReadOnlyList<MoneyView> Deferred, IReadOnlyList<MoneyView> Expired, IReadOnlyList<MoneyView> Receivable, IReadOnlyList<RoleView> Roles)
{
    public static StatementView Of(Statement s) => new(s.From, s.To, [.. s.Rails.Select(r => new RailView(r.Rail, r.Currency, r.Taken.ToDecimal(), r.GivenBack.ToDecimal(), r.Fees?.ToDecimal(), r.PaidOut?.ToDecimal()))],
        Of(s.Revenue), Of(s.Refunded), Of(s.Credited), Of(s.Losses), Of(s.Expenses), Of(s.Deferred), Of(s.Expired), Of(s.Receivable),
        [.. s.Roles.Select(r => new RoleView(r.Role, r.Currency, r.Opening.ToDecimal(), r.In.ToDecimal(), r.Out.ToDecimal(), r.Closing.ToDecimal()))]);

    /// <summary>A row for each number.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder("from,to,section,name,currency,amount\n");
        foreach (var rail in Rails)
            foreach (var (what, amount) in ((string, string?)[])[("taken", rail.Taken), ("given-back", rail.GivenBack), ("fees", rail.Fees), ("paid-out", rail.PaidOut)])
                if (amount is not null) Row(what, rail.Rail, rail.Currency, amount);
        foreach (var (section, all) in ((string, IReadOnlyList<MoneyView>)[])[("revenue", Revenue), ("refunded", Refunded), ("credited", Credited), ("losses", Losses), ("expenses", Expenses), ("deferred", Deferred), ("expired", Expired), ("receivable", Receivable)])
            foreach (var money in all) Row(section, "", money.Currency, money.Amount);
        foreach (var role in Roles) Row("closing", role.Role, role.Currency, role.Closing);
        return text.ToString();

        void Row(string section, string name, string currency, string amount) => text.Append(CultureInfo.InvariantCulture, $"{From:u},{To:u},{section},{BookExport.Csv(name)},{currency},{amount}\n");
    }

    private static IReadOnlyList<MoneyView> Of(IReadOnlyList<Money> all) => [.. all.Select(MoneyView.Of)];
}

/// <summary><c>/admin/v1/statements</c> and <c>/ledger/export</c>: what came in and went out, for the owner and the accountant.</summary>
internal static class StatementsApi
{
    public static void MapStatements(this IEndpointRouteBuilder api)
    {
        api.MapGet("/statements", ShowAsync).Produces<StatementView>().ProducesProblem(400).WithTags("statements").WithName("getStatement").WithSummary("What came in and went out in a time, by rail")
            .WithDescription("from and to, RFC 3339; left out: the month before this one, in UTC. format=csv for a table. Every amount is a sum of the ledger's entries, but fees and payouts, which Stripe tells.");
        api.MapGet("/ledger/export", ExportAsync).Produces<string>(200, "text/csv").ProducesProblem(400).WithTags("ledger").WithName("exportLedger").WithSummary("Every posting of a time, double entry")
            .WithDescription("format=csv or beancount.");
    }

    private static async Task<Results<Ok<StatementView>, ContentHttpResult, ProblemHttpResult>> ShowAsync(DateTimeOffset? from, DateTimeOffset? to, string? format, StatementDesk desk, TimeProvider time, CancellationToken ct)
    {
        if (Times(from, to, time) is not var (start, end)) return Wrong();
        var view = StatementView.Of(await desk.WriteAsync(start, end, ct));
        return format == "csv" ? TypedResults.Content(view.ToCsv(), "text/csv; charset=utf-8") : TypedResults.Ok(view);
    }

    private static Results<PushStreamHttpResult, ProblemHttpResult> ExportAsync(DateTimeOffset? from, DateTimeOffset? to, string? format, BookStore books, TimeProvider time, CancellationToken ct)
    {
        if (Times(from, to, time) is not var (start, end)) return Wrong();
        if (format is not (null or "csv" or "beancount")) return AdminProblem.Malformed("format is csv or beancount.");
        var beancount = format == "beancount";
        return TypedResults.Stream(async body =>
        {
            // The scan writes as it reads, and the server's stream is written to only without blocking.
            await using var kept = new FileStream(Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 64 * 1024, FileOptions.DeleteOnClose);
            await using (var text = new StreamWriter(kept, new UTF8Encoding(false), leaveOpen: true)) await BookExport.WriteAsync(books, start, end, beancount, text, ct);
            kept.Position = 0;
            await kept.CopyToAsync(body, ct);
        }, beancount ? "text/plain; charset=utf-8" : "text/csv; charset=utf-8");
    }

    private static ProblemHttpResult Wrong() => AdminProblem.Malformed("from and to go together, from before to, each as 2026-01-31T00:00:00Z.");

    /// <summary>The month before this one where nothing is said; null where what is said is no time.</summary>
    public static (DateTimeOffset From, DateTimeOffset To)? Times(DateTimeOffset? from, DateTimeOffset? to, TimeProvider time)
    {
        if (from is null != to is null || from >= to) return null;
        var now = time.GetUtcNow();
        var month = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        return (from ?? month.AddMonths(-1), to ?? month);
    }
}
