namespace Turnpike.Metering.Reading;

/// <summary>Takes the values a <see cref="JsonScanner"/> was asked for.</summary>
internal interface IJsonSink
{
    /// <param name="target">The number its path was given.</param>
    /// <param name="text">A number, <c>true</c>, <c>false</c>, <c>null</c>, or a string without quotes, at most 256 bytes of it; empty for objects and arrays.</param>
    /// <param name="length">For a string: its bytes in UTF-8, however long.</param>
    void Value(int target, JsonKind kind, ReadOnlySpan<byte> text, long length);
}

/// <summary>What a value is.</summary>
internal enum JsonKind
{
    Object,
    Array,
    String,
    Number,
    Literal,
}
