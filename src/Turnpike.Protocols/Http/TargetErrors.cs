namespace Turnpike.Protocols.Http;

/// <summary>The stable reasons for which a request target is refused with 400.</summary>
public static class TargetErrors
{
    public const string Empty = "empty";
    public const string TooLong = "too_long";
    public const string Form = "form";
    public const string RawCharacter = "raw_character";
    public const string Fragment = "fragment";
    public const string Backslash = "backslash";
    public const string DoubledSlash = "doubled_slash";
    public const string DotSegment = "dot_segment";
    public const string SegmentParameter = "segment_parameter";
    public const string InvalidPercent = "invalid_percent";
    public const string EncodedControl = "encoded_control";
    public const string EncodedSlash = "encoded_slash";
    public const string EncodedBackslash = "encoded_backslash";
    public const string EncodedDot = "encoded_dot";
    public const string DoubleEncoding = "double_encoding";
    public const string InvalidUtf8 = "invalid_utf8";
}
