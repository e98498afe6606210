// The same from C++, with the library's counted references in a unique_ptr.
#include <pawl/core.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

int main() {
    const std::string text = R"({ "hello" : "world" })";
    pawl_value *parsed = nullptr;
    if (pawl_value_parse(text.data(), text.size(), nullptr, &parsed, nullptr) != PAWL_OK)
        return 1;
    std::unique_ptr<pawl_value, decltype(&pawl_value_unref)> value(parsed, &pawl_value_unref);
    std::unique_ptr<char, decltype(&std::free)> printed(pawl_value_print(value.get()), &std::free);
    std::cout << "pawl says " << printed.get() << '\n';
    return 0;
}
