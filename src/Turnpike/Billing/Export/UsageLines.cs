using System.Text;
using Turnpike.Metering;

namespace Turnpike.Billing.Export;

/// <summary>Records of use as lines: CSV (RFC 4180), or JSON.</summary>
internal static class UsageLines
{
    public const string CsvHeader = "source,id,time,subject,operation,caller,payer,model,origin,receipt,units,cost,currency\r\n";

    public static byte[] Json(UsageRecord record, string subject, string type = "turnpike.usage") => [.. UsageJson.Write(json => UsageJson.WriteEvent(json, record, subject, type)), (byte)'\n'];

    public static byte[] Csv(UsageRecord record, string subject)
    {
        var units = string.Join(' ', UsageJson.Quantities(record).Select(q => $"{q.Key}={q.Value}"));
        string?[] cells = [record.Source, record.Id, UsageJson.Text(record.Happened), subject, record.Operation, record.Caller, record.Payer, record.Model, record.Origin, record.Receipt, units, record.Cost is { } cost ? UsageJson.Amount(cost) : null, record.Cost?.Currency];
        return Encoding.UTF8.GetBytes(string.Join(',', cells.Select(Cell)) + "\r\n");
    }

    /// <summary>Quoted where it has to be. What a spreadsheet would take for a formula is made text: names come from strangers.</summary>
    private static string Cell(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "";
        if (text[0] is '=' or '+' or '@' or '\t' or '\r' || text[0] == '-' && !decimal.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out _)) text = "'" + text;
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
