namespace Turnpike.Storage;

/// <summary>One parameter of a statement: null, text, a whole number or bytes. Times are Unix microseconds.</summary>
internal readonly struct SqlValue
{
    private SqlValue(object? reference, long number)
    {
        Reference = reference;
        Number = number;
    }

    /// <summary>A string, a byte array, <see cref="Whole"/> for a number, or null.</summary>
    internal object? Reference { get; }

    internal long Number { get; }

    internal static readonly object Whole = new();

    /// <summary>For where a literal null has no type of its own.</summary>
    public static SqlValue Null => default;

    public static implicit operator SqlValue(string? text) => new(text, 0);

    public static implicit operator SqlValue(byte[]? bytes) => new(bytes, 0);

    public static implicit operator SqlValue(long number) => new(Whole, number);

    public static implicit operator SqlValue(long? number) => number is { } some ? new(Whole, some) : default;

    public static implicit operator SqlValue(DateTimeOffset time) => new(Whole, time.ToMicroseconds());

    public static implicit operator SqlValue(DateTimeOffset? time) => time is { } some ? new(Whole, some.ToMicroseconds()) : default;
}
