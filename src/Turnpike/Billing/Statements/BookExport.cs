using System.Globalization;
using System.Text;

namespace Turnpike.Billing.Statements;

/// <summary>
/// The books for accountants: double entry, each currency by itself, every posting of a time. As CSV, or as Beancount
/// (beancount.github.io, "Beancount Language Syntax"), where what the outside gives us is an asset and what we owe a liability.
/// </summary>
internal static class BookExport
{
    private const string CsvHead = "date,time,transaction,kind,account,amount,currency";

    public static async ValueTask WriteAsync(BookStore books, DateTimeOffset from, DateTimeOffset to, bool beancount, TextWriter output, CancellationToken ct)
    {
        output.Write(beancount ? "option \"title\" \"Turnpike\"\nplugin \"beancount.plugins.auto_accounts\"\n" : CsvHead + "\n");
        List<BookLine> together = [];
        await books.ScanAsync(from, to, line =>
        {
            // A hold's capture and its release are two transactions of one source.
            if (together.Count > 0 && (together[0].Source != line.Source || together[0].Created != line.Created || together[0].Kind != line.Kind)) Write(together, beancount, output);
            if (line.IsMoney && !line.Amount.IsZero) together.Add(line);
        }, ct);
        Write(together, beancount, output);
    }

    private static void Write(List<BookLine> together, bool beancount, TextWriter output)
    {
        if (together.Count == 0) return;
        if (beancount) Transaction(together, output);
        else foreach (var line in together) output.Write(string.Create(CultureInfo.InvariantCulture, $"{line.Created.UtcDateTime:yyyy-MM-dd},{line.Created.UtcDateTime:HH:mm:ss.ffffff},{Csv(line.Source)},{Csv(line.Kind)},{Csv(line.Account)},{line.Amount.ToDecimal()},{line.Amount.Currency}\n"));
        together.Clear();
    }

    private static void Transaction(List<BookLine> lines, TextWriter output)
    {
        output.Write(string.Create(CultureInfo.InvariantCulture, $"\n{lines[0].Created.UtcDateTime:yyyy-MM-dd} * \"{Quoted(lines[0].Kind)}\"\n  source: \"{Quoted(lines[0].Source)}\"\n"));
        foreach (var line in lines)
            output.Write($"  {Account(line.Account)}  {(line.Amount with { Units = checked(-line.Amount.Units) }).ToDecimal()} {line.Amount.Currency}\n    account: \"{Quoted(line.Account)}\"\n");
    }

    /// <summary>Where it stands in a chart of accounts; whose it is stays beside it.</summary>
    public static string Account(string account)
    {
        var rest = account[(account.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return BookLine.RoleOf(account) switch
        {
            "external" => $"Assets:External:{Component(BookLine.RailOf(account)!)}",
            "unbilled" => "Assets:Receivable:Unbilled",
            "invoiced" => "Assets:Receivable:Invoiced",
            "token" => "Liabilities:Deferred:Tokens",
            "credit" => "Liabilities:Deferred:Credit",
            "tax" => $"Liabilities:Tax:{Component(rest)}",
            "revenue" => $"Income:Revenue:{Component(rest)}",
            "refunded" => $"Income:Refunded:{Component(rest)}",
            "loss" => $"Expenses:Loss:{Component(rest)}",
            var role => $"Equity:{Component(role)}",
        };
    }

    /// <summary>A part of an account's name: a capital or a digit first, then letters, digits and hyphens.</summary>
    private static string Component(string text)
    {
        var made = new StringBuilder(text.Length + 1);
        foreach (var c in text) made.Append(char.IsAsciiLetterOrDigit(c) ? c : '-');
        if (made.Length == 0 || !char.IsAsciiLetterOrDigit(made[0])) made.Insert(0, 'X');
        made[0] = char.ToUpperInvariant(made[0]);
        return made.ToString();
    }

    private static string Quoted(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);

    /// <summary>RFC 4180; and nothing a spreadsheet would take for a formula, as callers choose some of these ids.</summary>
    public static string Csv(string text)
    {
        if (text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r') text = "'" + text;
        return text.AsSpan().IndexOfAny(",\"\r\n") >= 0 ? "\"" + text.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : text;
    }
}
