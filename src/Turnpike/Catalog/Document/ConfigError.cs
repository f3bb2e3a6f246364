namespace Turnpike.Catalog.Document;

/// <summary>One thing wrong in the document: where (line and column from 1, dotted path; empty for the whole) and what. Never the value of a secret.</summary>
internal sealed record ConfigError(int Line, int Column, string Path, string Message)
{
    /// <summary><c>file:line:column: path: message</c>, as editors and compilers write it.</summary>
    public string In(string file) => Path.Length == 0 ? $"{file}:{Line}:{Column}: {Message}" : $"{file}:{Line}:{Column}: {Path}: {Message}";
}
