// The same pipeline from C++: a lambda as a step, the functions beneath the macros, references in a unique_ptr.
#include <pawl/pawl.h>

#include <iostream>
#include <memory>

template <auto release> struct Releaser {
    template <typename T> void operator()(T *object) const {
        release(object);
    }
};
using Primitive = std::unique_ptr<pawl_primitive, Releaser<pawl_primitive_unref>>;
using Value = std::unique_ptr<pawl_value, Releaser<pawl_value_unref>>;
using Error = std::unique_ptr<pawl_error, Releaser<pawl_error_unref>>;

static pawl_primitive *code_execution(const char *name) {
    pawl_code_execution_options options{};
    options.size = sizeof options;
    options.language = "bash";
    return pawl_code_execution_new(name, &options);
}

int main() {
    auto generate = [](void *, pawl_context *, pawl_value *, pawl_value **ret_out, pawl_error **) {
        static const char code[] = R"({"code": "echo hello from the sandbox"})";
        return pawl_value_parse(code, sizeof code - 1, nullptr, ret_out, nullptr);
    };
    pawl_primitive *steps[] = {pawl_inline("generate", generate, nullptr), code_execution("run"), PAWL_END};
    Primitive pipeline(pawl_sequential_new("consumer", steps));

    pawl_value *raw_output = nullptr;
    pawl_error *raw_error = nullptr;
    pawl_status status = pawl_run(pipeline.get(), nullptr, nullptr, &raw_output, &raw_error);
    Value output(raw_output);
    Error error(raw_error);
    if (status != PAWL_OK)
        std::cout << pawl_error_message(error.get()) << '\n';
    else
        std::cout << pawl_value_get_string(output.get(), "output", "?\n");
    return status != PAWL_OK;
}
